package io.github.rlhf4j.core.random;

/**
 * A node in a tree of random keys. The draw at a key is a pure function of the path to it (run seed, stage, step, example,
 * token …), so results depend neither on batch layout nor on thread count, and a resumed run draws what the uninterrupted
 * one would have.
 *
 * <p>Mixing is SplitMix64's finaliser (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"),
 * applied once per step of the path.
 */
public final class RandomKey {

    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private final long state;

    private RandomKey(long state) {
        this.state = state;
    }

    public static RandomKey of(long seed) {
        return new RandomKey(mix(seed + GOLDEN_GAMMA));
    }

    /** The child key of this name, for parts of a program: {@code key.child("rollout")}. */
    public RandomKey child(String name) {
        long hash = 0xcbf29ce484222325L; // FNV-1a
        for (int i = 0; i < name.length(); i++) {
            hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
        }
        return child(hash);
    }

    /** The child key of this number: a step, an example, a token. */
    public RandomKey child(long index) {
        return new RandomKey(mix(state + GOLDEN_GAMMA * (2 * index + 1)));
    }

    /** 64 uniform bits. */
    public long bits() {
        return mix(state ^ GOLDEN_GAMMA);
    }

    /** A uniform number in [0, 1), a multiple of 2⁻⁵³. */
    public double uniform() {
        return (bits() >>> 11) * 0x1.0p-53;
    }

    /** A uniform integer in {@code [0, bound)}; the bias is below bound·2⁻⁶³. */
    public int below(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("bound must be positive, got " + bound);
        }
        return (int) Long.remainderUnsigned(bits(), bound);
    }

    /** A standard normal number (Box–Muller). */
    public double gaussian() {
        double radius = Math.sqrt(-2 * Math.log(1 - child(0).uniform()));
        return radius * Math.cos(2 * Math.PI * child(1).uniform());
    }

    /** A uniform permutation of {@code 0 … n − 1} (Fisher–Yates). */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = child(i).below(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    /** SplitMix64's finaliser: a bijection of the 64-bit integers. */
    public static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
