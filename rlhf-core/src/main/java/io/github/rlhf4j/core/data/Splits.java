package io.github.rlhf4j.core.data;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Divides data into a part to train on and a part held out, by a hash of each item's key: the same item falls on the same
 * side in whatever order the items come, and items with one key (responses to one prompt) stay together.
 */
public final class Splits {

    private Splits() {}

    /**
     * The two parts, each in the order of the items.
     *
     * @param train not empty
     * @param heldOut not empty
     */
    public record Parts<T>(List<T> train, List<T> heldOut) {}

    /**
     * Divides items by key. Each key is held out with probability {@code heldOutFraction}; where chance would leave a part
     * empty, the key with the draw next to the border goes there.
     *
     * @param key the same for items that must not be divided, such as the text of the prompt
     * @param heldOutFraction in (0, 1)
     * @param seed another seed gives another division
     * @throws IllegalArgumentException when there are fewer than two different keys
     */
    public static <T> Parts<T> byKey(
            List<T> items, Function<? super T, String> key, double heldOutFraction, long seed) {
        if (!(heldOutFraction > 0 && heldOutFraction < 1)) {
            throw new IllegalArgumentException("the held-out fraction must lie in (0, 1), got " + heldOutFraction);
        }
        RandomKey random = RandomKey.of(seed).child("held-out");
        TreeMap<Double, String> draws = new TreeMap<>();
        for (T item : items) {
            draws.put(draw(random, key.apply(item)), key.apply(item));
        }
        if (draws.size() < 2) {
            throw new IllegalArgumentException(
                    "dividing into training and held-out data needs at least two different items," + " got "
                            + draws.size() + "; give more data");
        }
        double border = Math.max(heldOutFraction, Math.nextUp(draws.firstKey()));
        border = Math.min(border, draws.lastKey());
        List<T> train = new ArrayList<>();
        List<T> heldOut = new ArrayList<>();
        for (T item : items) {
            (draw(random, key.apply(item)) < border ? heldOut : train).add(item);
        }
        return new Parts<>(train, heldOut);
    }

    private static double draw(RandomKey random, String key) {
        return random.child(key).uniform();
    }
}
