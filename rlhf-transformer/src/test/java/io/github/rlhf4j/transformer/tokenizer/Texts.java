package io.github.rlhf4j.transformer.tokenizer;

import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/** Texts that have broken tokenizers before, and a small tokenizer to try them on. */
final class Texts {

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

    private static boolean isKnown(int character) {
        int type = Character.getType(character);
        return type != Character.SURROGATE && type != Character.UNASSIGNED;
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
