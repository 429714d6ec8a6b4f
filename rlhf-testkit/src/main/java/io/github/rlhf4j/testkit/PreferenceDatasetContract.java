package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

/** What {@link PreferenceDataset} promises, as tests. Extend it and give your dataset. */
public abstract class PreferenceDatasetContract {

    /** The dataset under test, opened anew at each call as a resumed run would; small, since all of it is read. */
    protected abstract PreferenceDataset dataset();

    @Test
    public void aRankingIsTheSameOneEachTime() {
        PreferenceDataset dataset = dataset();
        for (int i = dataset.size() - 1; i >= 0; i--) {
            dataset.get(i);
        }
        for (int i = 0; i < dataset.size(); i++) {
            assertEquals(dataset.get(i), dataset.get(i), "get must return the same ranking each time; ranking " + i);
        }
    }

    @Test
    public void aResumedRunSeesTheSameRankings() {
        PreferenceDataset before = dataset();
        PreferenceDataset after = dataset();
        assertEquals(before.size(), after.size(), "the dataset opened again must have the same size");
        for (int i = 0; i < before.size(); i++) {
            assertEquals(
                    before.get(i), after.get(i), "the dataset opened again must have the same rankings; ranking " + i);
        }
    }

    @Test
    public void theIteratorGivesEveryRankingInOrder() {
        PreferenceDataset dataset = dataset();
        for (int pass = 1; pass <= 2; pass++) {
            Iterator<Ranking> iterator = dataset.iterator();
            for (int i = 0; i < dataset.size(); i++) {
                assertTrue(iterator.hasNext(), "the iterator must give all " + dataset.size() + " rankings; it ended");
                assertEquals(
                        dataset.get(i),
                        iterator.next(),
                        "pass " + pass + " of the iterator must give what get gives, in order; ranking " + i);
            }
            assertFalse(iterator.hasNext(), "the iterator must end after " + dataset.size() + " rankings; it goes on");
            assertThrows(NoSuchElementException.class, iterator::next, "next after the last ranking must throw;");
        }
    }

    @Test
    public void anIndexOutsideIsRefused() {
        PreferenceDataset dataset = dataset();
        for (int index : new int[] {-1, dataset.size()}) {
            assertThrows(
                    IndexOutOfBoundsException.class,
                    () -> dataset.get(index),
                    "get(" + index + ") of " + dataset.size() + " rankings must be refused;");
        }
    }
}
