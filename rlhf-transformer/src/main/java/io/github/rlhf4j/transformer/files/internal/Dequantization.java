package io.github.rlhf4j.transformer.files.internal;

import io.github.rlhf4j.transformer.files.TensorType;

/**
 * Blocks of llama.cpp's quantised types to floats, in the order of operations of its reference ({@code ggml-quants.c},
 * {@code dequantize_row_*}), so that each float has the same bits. A block of 32 begins with its scale d (a half), and in
 * the types {@code _1} a minimum m; a block of 256 ({@code _K}) has 8 or 16 sub-blocks with small whole numbers as scales,
 * multiplied by the block's own.
 */
public final class Dequantization {

    private Dequantization() {}

    /**
     * Dequantises one block.
     *
     * @param bytes holds the block from {@code from} on
     * @param into receives the block's elements from {@code at} on
     */
    public static void block(TensorType type, byte[] bytes, int from, float[] into, int at) {
        switch (type) {
            case Q4_0 -> q4(bytes, from, 2, -8, into, at);
            case Q4_1 -> q4(bytes, from, 4, 0, into, at);
            case Q5_0 -> q5(bytes, from, 2, -16, into, at);
            case Q5_1 -> q5(bytes, from, 4, 0, into, at);
            case Q8_0 -> q8(bytes, from, into, at);
            case Q4_K -> q4k(bytes, from, into, at);
            case Q5_K -> q5k(bytes, from, into, at);
            case Q6_K -> q6k(bytes, from, into, at);
            default -> throw new IllegalArgumentException(type + " has no blocks");
        }
    }

    private static float half(byte[] bytes, int at) {
        return HalfPrecision.fromHalf(bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8);
    }

    /** The minimum m of the types {@code _1}; the types {@code _0} have none. */
    private static float minimum(byte[] bytes, int from, int head) {
        return head == 4 ? half(bytes, from + 2) : 0;
    }

    /** {@code d, [m,] 16 bytes}: element i in the low half of byte i, element 16 + i in the high one. */
    private static void q4(byte[] bytes, int from, int head, int shift, float[] into, int at) {
        float d = half(bytes, from);
        float m = minimum(bytes, from, head);
        for (int i = 0; i < 16; i++) {
            int pair = bytes[from + head + i];
            into[at + i] = scaled(d, (pair & 15) + shift, m, head);
            into[at + 16 + i] = scaled(d, (pair >> 4 & 15) + shift, m, head);
        }
    }

    /** {@code d, [m,] 4 bytes with the fifth bits, 16 bytes as in q4}. */
    private static void q5(byte[] bytes, int from, int head, int shift, float[] into, int at) {
        float d = half(bytes, from);
        float m = minimum(bytes, from, head);
        for (int i = 0; i < 16; i++) {
            int pair = bytes[from + head + 4 + i];
            int low = pair & 15 | fifth(bytes, from + head, i);
            int high = pair >> 4 & 15 | fifth(bytes, from + head, 16 + i);
            into[at + i] = scaled(d, low + shift, m, head);
            into[at + 16 + i] = scaled(d, high + shift, m, head);
        }
    }

    private static int fifth(byte[] bytes, int from, int element) {
        return (bytes[from + element / 8] >> element % 8 & 1) << 4;
    }

    private static float scaled(float d, int q, float m, int head) {
        return head == 4 ? d * q + m : d * q;
    }

    /** {@code d, 32 signed bytes}. */
    private static void q8(byte[] bytes, int from, float[] into, int at) {
        float d = half(bytes, from);
        for (int i = 0; i < 32; i++) {
            into[at + i] = bytes[from + 2 + i] * d;
        }
    }

    /** {@code d, dmin, 12 bytes of scales, 128 bytes}: 32 bytes hold sub-block 2j in their low halves and 2j + 1 in the high. */
    private static void q4k(byte[] bytes, int from, float[] into, int at) {
        float d = half(bytes, from);
        float dmin = half(bytes, from + 2);
        for (int sub = 0; sub < 8; sub++) {
            float scale = d * subScale(bytes, from + 4, sub);
            float minimum = dmin * subMinimum(bytes, from + 4, sub);
            int quants = from + 16 + sub / 2 * 32;
            for (int i = 0; i < 32; i++) {
                int q = bytes[quants + i] >> 4 * (sub & 1) & 15;
                into[at + 32 * sub + i] = scale * q - minimum;
            }
        }
    }

    /** As q4k, with 32 bytes of fifth bits between scales and quants: bit j of byte i for element i of sub-block j. */
    private static void q5k(byte[] bytes, int from, float[] into, int at) {
        float d = half(bytes, from);
        float dmin = half(bytes, from + 2);
        for (int sub = 0; sub < 8; sub++) {
            float scale = d * subScale(bytes, from + 4, sub);
            float minimum = dmin * subMinimum(bytes, from + 4, sub);
            int quants = from + 48 + sub / 2 * 32;
            for (int i = 0; i < 32; i++) {
                int q = bytes[quants + i] >> 4 * (sub & 1) & 15 | (bytes[from + 16 + i] >> sub & 1) << 4;
                into[at + 32 * sub + i] = scale * q - minimum;
            }
        }
    }

    /** Scale of 6 bits: those of sub-blocks 4 to 7 have their upper two bits in the bytes of 0 to 3. */
    private static int subScale(byte[] bytes, int from, int sub) {
        return sub < 4 ? bytes[from + sub] & 63 : bytes[from + 4 + sub] & 15 | bytes[from + sub - 4] >> 2 & 48;
    }

    private static int subMinimum(byte[] bytes, int from, int sub) {
        return sub < 4 ? bytes[from + 4 + sub] & 63 : bytes[from + 4 + sub] >> 4 & 15 | bytes[from + sub] >> 2 & 48;
    }

    /**
     * {@code 128 bytes of low bits, 64 of high bits, 16 signed scales, d}, sub-blocks of 16. Each half of the block has
     * four runs of 32 elements: low bits of runs 0 and 1 in the low halves of 64 bytes, of 2 and 3 in the high ones; high
     * bits of run j in bits 2j of 32 bytes.
     */
    private static void q6k(byte[] bytes, int from, float[] into, int at) {
        float d = half(bytes, from + 208);
        for (int run = 0; run < 8; run++) {
            int upper = run / 4;
            int inHalf = run % 4;
            int low = from + 64 * upper + 32 * (inHalf & 1);
            int high = from + 128 + 32 * upper;
            for (int i = 0; i < 32; i++) {
                int q = bytes[low + i] >> 4 * (inHalf / 2) & 15 | (bytes[high + i] >> 2 * inHalf & 3) << 4;
                float scale = d * bytes[from + 192 + 2 * run + i / 16];
                into[at + 32 * run + i] = scale * (q - 32);
            }
        }
    }
}
