package io.github.rlhf4j.transformer.files.gguf;

import java.util.List;

/** A value of a GGUF file's metadata, with the type it has in the file. */
public sealed interface GgufValue {

    GgufType type();

    /**
     * A whole number.
     *
     * @param type one of the eight integer types
     * @param value within the range of the type; of UINT64 the bits
     */
    record Whole(GgufType type, long value) implements GgufValue {
        public Whole {
            if (!type.isWhole()) {
                throw new IllegalArgumentException(type + " is no type of whole numbers");
            }
            boolean fits =
                    switch (type) {
                        case UINT8 -> value == (value & 0xff);
                        case INT8 -> value == (byte) value;
                        case UINT16 -> value == (value & 0xffff);
                        case INT16 -> value == (short) value;
                        case UINT32 -> value == (value & 0xffffffffL);
                        case INT32 -> value == (int) value;
                        default -> true;
                    };
            if (!fits) {
                throw new IllegalArgumentException(value + " is outside the range of " + type);
            }
        }
    }

    /**
     * A floating-point number.
     *
     * @param type FLOAT32 or FLOAT64
     * @param value of FLOAT32 one that is a float
     */
    record Real(GgufType type, double value) implements GgufValue {
        public Real {
            if (type != GgufType.FLOAT32 && type != GgufType.FLOAT64) {
                throw new IllegalArgumentException(type + " is no floating-point type");
            }
        }
    }

    record Flag(boolean value) implements GgufValue {
        @Override
        public GgufType type() {
            return GgufType.BOOL;
        }
    }

    record Text(String value) implements GgufValue {
        @Override
        public GgufType type() {
            return GgufType.STRING;
        }
    }

    /** Values of one type, which may be arrays themselves. */
    record Values(GgufType elementType, List<GgufValue> values) implements GgufValue {
        public Values {
            for (GgufValue value : values) {
                if (value.type() != elementType) {
                    throw new IllegalArgumentException(
                            "an array of " + elementType + " cannot hold a value of type " + value.type());
                }
            }
        }

        @Override
        public GgufType type() {
            return GgufType.ARRAY;
        }
    }
}
