package io.github.rlhf4j.transformer.files;

import java.util.Arrays;
import java.util.Optional;

/** Element types of the safetensors format; the floating-point ones can be read as numbers here. */
public enum TensorType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    BOOL(1);

    private final int bytes;

    TensorType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether {@link SafetensorsFile#read} turns it into numbers. */
    public boolean isFloatingPoint() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    static Optional<TensorType> named(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /**
     * The value of an IEEE 754 half: 1 sign bit, 5 of exponent (bias 15), 10 of fraction. Every half is a float, so this
     * is exact.
     */
    static float fromHalf(short bits) {
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

    /** The value of a bfloat16: the upper half of a float. */
    static float fromBfloat16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
