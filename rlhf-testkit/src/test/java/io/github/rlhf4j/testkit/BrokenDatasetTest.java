package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Each test of the preference datasets' contract fails on a dataset that breaks its promise, and says which. */
class BrokenDatasetTest {

    private static final List<Ranking> RANKINGS =
            List.of(Ranking.ofPair(Conversation.of("a"), "b", "c"), Ranking.ofPair(Conversation.of("d"), "e", "f"));

    private abstract static class Dataset implements PreferenceDataset {

        @Override
        public int size() {
            return 2;
        }

        @Override
        public Ranking get(int index) {
            return RANKINGS.get(index);
        }
    }

    private static PreferenceDatasetContract dataset(Supplier<PreferenceDataset> datasets) {
        return new PreferenceDatasetContract() {
            @Override
            protected PreferenceDataset dataset() {
                return datasets.get();
            }
        };
    }

    @Test
    void datasets() {
        AtomicInteger calls = new AtomicInteger();
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Ranking get(int index) {
                        return RANKINGS.get(calls.getAndIncrement() % 2);
                    }
                }),
                PreferenceDatasetContract::aRankingIsTheSameOneEachTime,
                "same ranking each time");
        AtomicInteger opened = new AtomicInteger();
        assertFails(
                dataset(() -> {
                    int shift = opened.getAndIncrement();
                    return new Dataset() {
                        @Override
                        public Ranking get(int index) {
                            return RANKINGS.get((index + shift) % 2);
                        }
                    };
                }),
                PreferenceDatasetContract::aResumedRunSeesTheSameRankings,
                "opened again must have the same rankings");
        Iterator<Ranking> once = RANKINGS.iterator();
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Iterator<Ranking> iterator() {
                        return once;
                    }
                }),
                PreferenceDatasetContract::theIteratorGivesEveryRankingInOrder,
                "it ended");
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Iterator<Ranking> iterator() {
                        return List.of(RANKINGS.get(1), RANKINGS.get(0)).iterator();
                    }
                }),
                PreferenceDatasetContract::theIteratorGivesEveryRankingInOrder,
                "in order");
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Ranking get(int index) {
                        return RANKINGS.get(Math.floorMod(index, 2));
                    }
                }),
                PreferenceDatasetContract::anIndexOutsideIsRefused,
                "must be refused");
    }
}
