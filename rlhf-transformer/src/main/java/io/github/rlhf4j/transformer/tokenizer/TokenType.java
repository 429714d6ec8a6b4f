package io.github.rlhf4j.transformer.tokenizer;

/** What a token of a SentencePiece or GGUF vocabulary is for. */
public enum TokenType {
    /** Learned from text. */
    NORMAL(1),
    /** Stands for what cannot be spelled. */
    UNKNOWN(2),
    /** A special token: never found in text, left out of decoded text. */
    CONTROL(3),
    /** Found wherever its content stands in text, before anything merges. */
    USER_DEFINED(4),
    /** Never found in text. */
    UNUSED(5),
    /** One byte, spelled like {@code <0x0A>}. */
    BYTE(6);

    private final int code;

    TokenType(int code) {
        this.code = code;
    }

    /** The number that SentencePiece and GGUF write. */
    public int code() {
        return code;
    }

    /**
     * The type of this number.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static TokenType of(int code) {
        for (TokenType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new IllegalArgumentException("token type " + code + " is none of 1 (normal), 2 (unknown), 3 (control),"
                + " 4 (user defined), 5 (unused), 6 (byte).");
    }

    /** Whether text never becomes such a token, and decoded text leaves it out. */
    boolean isSpecial() {
        return this == UNKNOWN || this == CONTROL || this == UNUSED;
    }
}
