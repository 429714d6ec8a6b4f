package io.github.rlhf4j.transformer.files.internal;

/** IEEE 754 half (1 sign bit, 5 of exponent with bias 15, 10 of fraction) and bfloat16 (the upper half of a float). */
public final class HalfPrecision {

    /** The least float that rounds to an infinite half: half a unit above 65504, the largest. */
    public static final float OVERFLOW = 65520f;

    private HalfPrecision() {}

    /** The value of a half; every half is a float, so this is exact. */
    public static float fromHalf(int bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >> 10) & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        int widened = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | widened << 23 | fraction << 13);
    }

    /** The half nearest to a float, ties to even; from {@link #OVERFLOW} on infinite, NaN stays NaN. */
    public static short toHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            int payload = bits >> 13 & 0x3ff;
            return (short) (sign | 0x7c00 | (payload == 0 ? 1 : payload));
        }
        if (magnitude >= OVERFLOW) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x1p-14f) {
            // Below the least normal half the step is 2^-24 throughout: rint rounds as the format does.
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24));
        }
        int rounded = (bits & 0x7fffffff) + 0xfff + (bits >> 13 & 1);
        return (short) (sign | (rounded >> 13) - ((127 - 15) << 10));
    }

    public static float fromBfloat16(int bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The bfloat16 nearest to a float, ties to even; NaN stays NaN, made quiet. */
    public static short toBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
