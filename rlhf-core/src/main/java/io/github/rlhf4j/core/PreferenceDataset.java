package io.github.rlhf4j.core;

import java.util.Iterator;
import java.util.List;

/**
 * Human (or simulated) preferences to learn a reward from. A user's own needs {@link #size()} and {@link #get}; for a
 * list at hand there is {@link #of}.
 */
public interface PreferenceDataset extends Iterable<Ranking> {

    int size();

    /**
     * The {@code index}-th ranking; the same one each time, so that a resumed run sees what the uninterrupted one would.
     *
     * @throws IndexOutOfBoundsException outside {@code [0, size)}
     */
    Ranking get(int index);

    @Override
    default Iterator<Ranking> iterator() {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < size();
            }

            @Override
            public Ranking next() {
                if (!hasNext()) {
                    throw new java.util.NoSuchElementException("the dataset has " + size() + " rankings");
                }
                return get(next++);
            }
        };
    }

    static PreferenceDataset of(List<Ranking> rankings) {
        List<Ranking> copy = List.copyOf(rankings);
        return new PreferenceDataset() {
            @Override
            public int size() {
                return copy.size();
            }

            @Override
            public Ranking get(int index) {
                return copy.get(index);
            }
        };
    }
}
