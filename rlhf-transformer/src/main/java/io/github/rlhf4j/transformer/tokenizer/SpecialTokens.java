package io.github.rlhf4j.transformer.tokenizer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Checks on special tokens that every tokenizer makes. */
final class SpecialTokens {

    private SpecialTokens() {}

    /** Numbers {@code names} from {@code firstId} on; they must be distinct and not blank. */
    static Map<String, Integer> number(List<String> names, int firstId) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (String name : names) {
            if (name.isBlank()) {
                throw new IllegalArgumentException(
                        "a special token has the blank name \"" + name + "\". Name it like <|endoftext|>.");
            }
            if (ids.put(name, firstId + ids.size()) != null) {
                throw new IllegalArgumentException(
                        "special token " + name + " is listed twice in " + names + ". List each one once.");
            }
        }
        return ids;
    }

    /** An unmodifiable copy in the order of the ids. */
    static Map<String, Integer> ordered(Map<String, Integer> specialTokens) {
        Map<String, Integer> ordered = new LinkedHashMap<>();
        specialTokens.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .forEach(entry -> ordered.put(entry.getKey(), entry.getValue()));
        return Collections.unmodifiableMap(ordered);
    }
}
