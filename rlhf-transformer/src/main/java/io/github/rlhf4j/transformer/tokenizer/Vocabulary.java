package io.github.rlhf4j.transformer.tokenizer;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A two-way map between spellings and ids {@code 0..size-1}, each id taken once, special tokens included; immutable.
 */
final class Vocabulary {

    private final Map<String, Integer> ordinary;
    private final Map<String, Integer> added;
    private final Map<String, Integer> special;
    private final String[] spellings;
    private final boolean[] isSpecial;

    /**
     * @param ordinary id of each ordinary token; may list special ones too, with the same id
     * @param special id of each special token
     * @throws IllegalArgumentException when the ids are not exactly {@code 0..size-1}, each once
     */
    Vocabulary(Map<String, Integer> ordinary, Map<String, Integer> special) {
        this(
                ordinary,
                BytePairOptions.of(Pretokenizer.gpt2())
                        .withSpecialTokens(special)
                        .addedTokens());
    }

    /**
     * @param ordinary id of each ordinary token; may list added ones too, with the same id
     * @param addedTokens special tokens and others beside the vocabulary
     * @throws IllegalArgumentException when the ids are not exactly {@code 0..size-1}, each once
     */
    Vocabulary(Map<String, Integer> ordinary, List<AddedToken> addedTokens) {
        this.ordinary = new HashMap<>(ordinary);
        this.added = new LinkedHashMap<>();
        Map<String, Integer> specialOnes = new HashMap<>();
        for (AddedToken token : addedTokens) {
            Integer listed = ordinary.get(token.content());
            checkSameId(token, listed);
            if (token.special()) {
                this.ordinary.remove(token.content());
                specialOnes.put(token.content(), token.id());
            } else if (listed == null) {
                added.put(token.content(), token.id());
            }
        }
        this.special = SpecialTokens.ordered(specialOnes);
        this.spellings = new String[this.ordinary.size() + added.size() + special.size()];
        this.isSpecial = new boolean[spellings.length];
        this.ordinary.forEach(this::place);
        added.forEach(this::place);
        special.forEach(this::place);
        special.values().forEach(id -> isSpecial[id] = true);
    }

    private static void checkSameId(AddedToken token, @Nullable Integer listed) {
        if (listed != null && listed != token.id()) {
            throw new IllegalArgumentException((token.special() ? "special" : "added") + " token " + token.content()
                    + " has id " + token.id() + ", but an ordinary token of the same spelling has id " + listed
                    + ". Give the special token a name that is no ordinary token, such as <|" + token.content()
                    + "|>.");
        }
    }

    private void place(String spelling, int id) {
        if (id < 0 || id >= spellings.length) {
            throw new IllegalArgumentException("token \"" + spelling + "\" has id " + id + ", but the ids of "
                    + spellings.length + " tokens must be 0.." + (spellings.length - 1)
                    + ", each once. Renumber the vocabulary without gaps.");
        }
        if (spellings[id] != null) {
            throw new IllegalArgumentException("tokens \"" + spellings[id] + "\" and \"" + spelling
                    + "\" have the same id " + id + ". Give each token its own id.");
        }
        spellings[id] = spelling;
    }

    int size() {
        return spellings.length;
    }

    /** Special tokens in the order of their ids; unmodifiable. */
    Map<String, Integer> special() {
        return special;
    }

    /** The id of an ordinary token, or null when there is none of this spelling. */
    @Nullable
    Integer ordinary(String spelling) {
        return ordinary.get(spelling);
    }

    String spelling(int id) {
        return spellings[checkId(id)];
    }

    boolean isSpecial(int id) {
        return isSpecial[checkId(id)];
    }

    /** Whether the token is an added one that is not special and that the learned vocabulary does not list. */
    boolean isAdded(int id) {
        return !isSpecial(id) && added.containsKey(spelling(id));
    }

    /** Returns {@code id} when it is in the vocabulary. */
    int checkId(int id) {
        if (id < 0 || id >= spellings.length) {
            throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of " + spellings.length
                    + " tokens (ids 0.." + (spellings.length - 1)
                    + "). Decode with the tokenizer that the model was trained with.");
        }
        return id;
    }

    /** Every token, special ones included, in the order of the ids. */
    Map<String, Integer> inOrder() {
        Map<String, Integer> all = new LinkedHashMap<>();
        for (int id = 0; id < spellings.length; id++) {
            all.put(spellings[id], id);
        }
        return all;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Vocabulary other
                && ordinary.equals(other.ordinary)
                && added.equals(other.added)
                && special.equals(other.special);
    }

    @Override
    public int hashCode() {
        return 31 * ordinary.hashCode() + special.hashCode();
    }
}
