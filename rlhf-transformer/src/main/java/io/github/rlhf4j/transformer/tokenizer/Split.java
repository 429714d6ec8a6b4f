package io.github.rlhf4j.transformer.tokenizer;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** One way to cut text into pieces that add up to it; immutable. */
@FunctionalInterface
interface Split {

    /** GPT-2's split (Radford et al. 2019, §2.2): contractions, words, numbers, other marks, white space. */
    String GPT2 = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    /** LLaMA 3's split as its {@code tokenizer.json} spells it: numbers in groups of at most three. */
    String LLAMA3 = tiktoken("\\p{N}{1,3}");

    /** Qwen2's split: as LLaMA 3's, but each digit by itself. */
    String QWEN2 = tiktoken("\\p{N}");

    /** Each digit by itself: {@code Digits(individual_digits=true)}. */
    String DIGIT = "\\p{N}";

    /** Takes the pieces of a text, which lie between two indices each. */
    @FunctionalInterface
    interface Action {
        void piece(int start, int end);
    }

    /** Hands the pieces of {@code text[from, to)}, in order, none empty, to {@code action}; looks at nothing outside. */
    void forEachPiece(String text, int from, int to, Action action);

    private static String tiktoken(String numbers) {
        return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + numbers
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    /**
     * The split by a regular expression: its matches are pieces, and so is what lies between two of them. Well-known ones
     * run as loops, others on {@code java.util.regex}.
     *
     * @throws IllegalArgumentException when Java does not understand the expression
     */
    static Split of(String regex) {
        if (regex.equals(GPT2)) {
            return Gpt2Split::forEachPiece;
        }
        if (regex.equals(LLAMA3)) {
            return new TiktokenSplit(3);
        }
        if (regex.equals(QWEN2)) {
            return new TiktokenSplit(1);
        }
        return regex.equals(DIGIT) ? Split::digits : byRegex(regex);
    }

    private static void digits(String text, int from, int to, Action action) {
        int start = from;
        for (int i = from; i < to; ) {
            int character = text.codePointAt(i);
            int next = i + Character.charCount(character);
            if (CharacterKind.of(character) == CharacterKind.NUMBER) {
                if (start < i) {
                    action.piece(start, i);
                }
                action.piece(i, next);
                start = next;
            }
            i = next;
        }
        if (start < to) {
            action.piece(start, to);
        }
    }

    private static Split byRegex(String regex) {
        Pattern pattern = compile(regex);
        return (text, from, to, action) -> {
            Matcher matcher = pattern.matcher(text).region(from, to);
            int end = from;
            while (matcher.find()) {
                if (end < matcher.start()) {
                    action.piece(end, matcher.start());
                }
                if (matcher.start() < matcher.end()) {
                    action.piece(matcher.start(), matcher.end());
                }
                end = matcher.end();
            }
            if (end < to) {
                action.piece(end, to);
            }
        };
    }

    private static Pattern compile(String regex) {
        try {
            return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "split pattern \"" + regex + "\" is no regular expression Java understands: " + e.getDescription()
                            + " near index " + e.getIndex() + ". Write it for java.util.regex.",
                    e);
        }
    }
}
