package io.github.rlhf4j.cli.wordnet;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The dictionary in two parts by word, not by meaning: no word of a held-out entry is a word of a training entry.
 *
 * <p>A word is held out by a hash of its spelling. An entry with a held-out word never trains; it evaluates when all of
 * its words are held out, and is left aside otherwise.
 *
 * @param training entries without a held-out word
 * @param heldOut entries all of whose words are held out
 */
public record DictionarySplit(List<DictionaryEntry> training, List<DictionaryEntry> heldOut) {

    /**
     * Splits the entries, keeping their order.
     *
     * @param share of the words to hold out, in (0, 1)
     * @param seed the same seed holds out the same words, whatever the entries
     */
    public static DictionarySplit of(List<DictionaryEntry> entries, double share, long seed) {
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException("the share of held-out words must lie in (0, 1), got " + share);
        }
        RandomKey key = RandomKey.of(seed).child("held-out words");
        List<DictionaryEntry> training = new ArrayList<>();
        List<DictionaryEntry> heldOut = new ArrayList<>();
        for (DictionaryEntry entry : entries) {
            long held = entry.lemmas().stream()
                    .filter(lemma -> key.child(lemma.toLowerCase(Locale.ROOT)).uniform() < share)
                    .count();
            if (held == 0) {
                training.add(entry);
            } else if (held == entry.lemmas().size()) {
                heldOut.add(entry);
            }
        }
        return new DictionarySplit(List.copyOf(training), List.copyOf(heldOut));
    }
}
