package io.github.rlhf4j.transformer.files.gguf;

/** Types of metadata values; a type's code in the file is its ordinal. */
public enum GgufType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    /** 8 bytes of length, then UTF-8. */
    STRING(8),
    /** 4 bytes of element type, 8 of count, then the elements. */
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private final int leastBytes;

    GgufType(int leastBytes) {
        this.leastBytes = leastBytes;
    }

    /** Bytes that a value of this type takes at least. */
    int leastBytes() {
        return leastBytes;
    }

    /** Whether a value is a {@link GgufValue.Whole}. */
    public boolean isWhole() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            default -> false;
        };
    }
}
