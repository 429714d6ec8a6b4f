package io.github.rlhf4j.transformer.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Finds added tokens in text: of those that begin at a place the longest one, from left to right; immutable. */
final class AddedTokens {

    private final Map<Character, List<Needle>> byFirst = new HashMap<>();

    private record Needle(String text, AddedToken token) {}

    /** Takes what lies between the tokens. */
    @FunctionalInterface
    interface Action {
        void section(int from, int to);
    }

    private AddedTokens(List<AddedToken> tokens, UnaryOperator<String> spelling) {
        for (AddedToken token : tokens) {
            String text = spelling.apply(token.content());
            byFirst.computeIfAbsent(text.charAt(0), first -> new ArrayList<>()).add(new Needle(text, token));
        }
        Comparator<Needle> byLength = Comparator.comparingInt(needle -> needle.text.length());
        byFirst.values().forEach(needles -> needles.sort(byLength.reversed()));
    }

    /** Those to be found in text as the user wrote it. */
    static AddedTokens raw(List<AddedToken> tokens) {
        return new AddedTokens(
                tokens.stream()
                        .filter(token -> !token.special() && !token.normalized())
                        .toList(),
                UnaryOperator.identity());
    }

    /** Those to be found in normalised text. */
    static AddedTokens normalized(List<AddedToken> tokens, UnaryOperator<String> normalizer) {
        return new AddedTokens(
                tokens.stream()
                        .filter(token -> !token.special() && token.normalized())
                        .toList(),
                normalizer);
    }

    /** Hands the sections between tokens, none empty, to {@code action}, and adds the tokens to {@code ids} in between. */
    void forEachSection(String text, int from, int to, IntBuffer ids, Action action) {
        int section = from;
        for (int i = from; !byFirst.isEmpty() && i < to; ) {
            Needle needle = longestAt(text, i, to);
            if (needle == null) {
                i++;
                continue;
            }
            int end = i + needle.text.length();
            if (!needle.token.singleWord() || standsAlone(text, i, end, from, to)) {
                int start = needle.token.lstrip() ? startOfSpace(text, i, section) : i;
                end = needle.token.rstrip() ? CharacterKind.endOfRun(text, end, to, CharacterKind.SPACE) : end;
                if (section < start) {
                    action.section(section, start);
                }
                ids.add(needle.token.id());
                section = end;
            }
            i = end;
        }
        if (section < to) {
            action.section(section, to);
        }
    }

    private @Nullable Needle longestAt(String text, int at, int to) {
        List<Needle> needles = byFirst.get(text.charAt(at));
        if (needles == null) {
            return null;
        }
        for (Needle needle : needles) {
            if (at + needle.text.length() <= to && text.startsWith(needle.text, at)) {
                return needle;
            }
        }
        return null;
    }

    private static boolean standsAlone(String text, int start, int end, int from, int to) {
        return (start == from || !CharacterKind.isOfWord(text.codePointBefore(start)))
                && (end == to || !CharacterKind.isOfWord(text.codePointAt(end)));
    }

    private static int startOfSpace(String text, int end, int least) {
        int start = end;
        while (start > least && CharacterKind.of(text.charAt(start - 1)) == CharacterKind.SPACE) {
            start--; // all white space lies in the basic plane
        }
        return start;
    }
}
