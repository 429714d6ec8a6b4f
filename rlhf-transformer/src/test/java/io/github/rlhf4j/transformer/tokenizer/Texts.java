package io.github.rlhf4j.transformer.tokenizer;

import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/** Texts that have broken tokenizers before, and a small tokenizer to try them on. */
final class Texts {

    /** What Java 25 (Unicode 16) knows below U+20000 and Java 17 (Unicode 13) does not. */
    private static final Pattern YOUNG = Pattern.compile("["
            + ("61D 870-89F 8B5 8C8-8D2 C3C C5D CDD CF3 ECE 170D 1715-171F 180F 1AC1-1ACE 1B4C-1B4F "
                            + "1B7D-1B7F 1C89-1C8A 1DFA 20C0 2427-2429 2C2F 2C5F 2E53-2E5D 2FFC-2FFF 31E4-31EF 9FFD-9FFF "
                            + "A7C0-A7C1 A7CB-A7F4 FBC2 FD40-FD4F FDCF FDFE-FDFF 10570-105F3 10780-107BA 10D40-10D8F "
                            + "10EC2-10EFF 10F70-10F89 11070-11075 110C2 1123F-11241 11380-113E2 116B9 116D0-116E3 "
                            + "11740-11746 11AB0-11ABF 11B00-11BF9 11F00-11F5A 12F90-12FF2 1342F 13439-143FA 16100-16139 "
                            + "16A70-16AC9 16D40-16D79 18CFF 1AFF0-1AFFE 1B11F-1B132 1B155 1CC00-1CFC3 1D1E9-1D1EA "
                            + "1D2C0-1D2D3 1DF00-1DF2A 1E030-1E08F 1E290-1E2AE 1E4D0-1E7FE 1F6DC-1F6DF 1F774-1F77F 1F7D9 "
                            + "1F7F0 1F8B2-1F8C1 1F979 1F9CC 1FA75-1FA77 1FA7B-1FA7C 1FA87-1FA8F 1FAA9-1FAAF 1FAB7-1FABF "
                            + "1FAC3-1FACF 1FAD7-1FAF8 1FBCB-1FBEF ")
                    .strip()
                    .replaceAll("(\\p{XDigit}+)", "\\\\x{$1}")
                    .replace(" ", "")
            + "]");

    /** Well-formed texts, one per script or oddity. */
    static final List<String> WELL_FORMED = List.of(
            "",
            " ",
            "Hello, world! It's the 1st of 12 tests; don't we'll they've I'm he'd you're WE'LL",
            "Größe, naïve café, Œuvre, Iñtërnâtiônàlizætiøn",
            "e\u0301 o\u0308\u0323 combining marks",
            "Ελληνικά και ΆΛΛΑ",
            "Привет, мир! Съешь ещё этих мягких французских булок",
            "שלום עולם, מה שלומך?",
            "مرحبا بالعالم ١٢٣٤٥ ۱۲۳",
            "नमस्ते दुनिया, कैसे हो? १२३",
            "สวัสดีชาวโลก ๑๒๓",
            "ສະບາຍດີ ဟယ်လို გამარჯობა Բարեւ",
            "你好,世界。今天天气很好!一二三",
            "こんにちは世界、カタカナとひらがな",
            "안녕하세요 세계",
            "ᚠᛇᚻ 𐌰𐌱𐌲 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙𝟚 Ⅷ ½ ² ₃ ①",
            "👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 ❤️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 x😀y 😀😀 ☃",
            "tabs\t\tand\nlines\r\n\r\n  indented   \n\n\n   end   ",
            " leading and trailing ",
            "a          b" + " ".repeat(500) + "c" + "\n".repeat(300),
            "no-break\u00a0space\u00a0 \u2003em\u3000ideographic\u1680ogham\u2028line\u2029paragraph\u202f\u205f.",
            "next\u0085line \u0085 x, zero\u200bwidth, \u180emongolian, \ufeffbom",
            "file\u001cgroup\u001drecord\u001eunit\u001f separators \u001c\u001d x",
            "\u0000\u0001\u0007\b\u001b[31mred\u001b[0m\u007f\u0080\u009f",
            "for (int i = 0; i < n; i++) { sum += x[i] * 3.14e-10; } // <|im_start|> ### -----====",
            "http://example.org/a?b=c&d=%20#e user@example.org C:\\dir\\file ~/x",
            "\ufffd \uffff \ufdd0 \ud83f\udfff \udbff\udfff",
            "'s't're've'm'll'd 'S'T 's'",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    /** Texts with halves of surrogate pairs standing alone. */
    static final List<String> BROKEN = List.of(
            "\ud83d",
            "\ude00",
            "\ude00\ud83d",
            "a\ud83db",
            " \ud83d ",
            "\ud83d\ud83d\ude00\ude00",
            "x\udfff\ud800y",
            "\ud800\u0000");

    private static final String CORPUS = "the cat sat on the mat, and the other cat sat on the hat. That is that!\n"
            + "Größe über alles? 你好 你好 😀😀😀 don't can't won't 123 123 1234  \n\n  the the";

    /** Trained on a few words; 40 merges, two special tokens. */
    static final BytePairTokenizer TOKENIZER = new BytePairTrainer(256 + 40 + 2)
            .withSpecialTokens("<|endoftext|>", "<|end|>")
            .train(List.of(CORPUS))
            .tokenizer();

    private Texts() {}

    static Stream<String> all() {
        return Stream.concat(WELL_FORMED.stream(), BROKEN.stream());
    }

    /**
     * Well-formed texts of every script, then this many mixtures of any characters that the running Java knows (what is
     * younger has no kind here), none with one of {@code names} in it.
     */
    static List<String> unicode(int mixtures, Set<String> names) {
        Random random = new Random(20261127);
        String frequent = String.join(" ", WELL_FORMED);
        Stream<String> mixed = Stream.generate(() -> mixture(frequent, random)).limit(mixtures);
        return Stream.concat(WELL_FORMED.stream(), mixed)
                .map(text -> text.codePoints()
                        .filter(Texts::isKnown)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString())
                .filter(text -> names.stream().noneMatch(text::contains))
                .toList();
    }

    private static String mixture(String frequent, Random random) {
        StringBuilder text = new StringBuilder();
        while (text.length() < 80) {
            int from = random.nextInt(frequent.length());
            switch (random.nextInt(4)) {
                case 0 -> text.appendCodePoint(random.nextInt(0x20000));
                case 1 -> text.appendCodePoint(random.nextInt(0x3000));
                case 2 -> text.append(" \n\r\t'a7.".charAt(random.nextInt(8)));
                default -> text.append(frequent, from, Math.min(frequent.length(), from + 1 + random.nextInt(9)));
            }
        }
        return text.toString();
    }

    /** Known to Unicode 13, that of Java 17: what is younger is a letter to one library and nothing to another. */
    private static boolean isKnown(int character) {
        int type = Character.getType(character);
        return type != Character.SURROGATE
                && type != Character.UNASSIGNED
                && !YOUNG.matcher(Character.toString(character)).matches();
    }

    /** Any string of Java at all: every UTF-16 unit, halves of pairs more often than chance would have it. */
    static Arbitrary<String> anyString() {
        return Arbitraries.oneOf(
                        Arbitraries.chars().all(),
                        Arbitraries.chars().range('\ud800', '\udfff'),
                        Arbitraries.chars().range(' ', '~'),
                        Arbitraries.chars().with(' ', '\n', '\t', '\u00a0', '\'', 'ï', '你', 't', 'h', 'e'))
                .list()
                .ofMaxSize(60)
                .map(chars -> {
                    StringBuilder text = new StringBuilder();
                    chars.forEach(text::append);
                    return text.toString();
                });
    }
}
