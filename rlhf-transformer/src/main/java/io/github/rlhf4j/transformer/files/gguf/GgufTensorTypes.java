package io.github.rlhf4j.transformer.files.gguf;

import io.github.rlhf4j.transformer.files.TensorType;
import java.util.Map;
import java.util.Optional;

/** The numbers of ggml's tensor types ({@code enum ggml_type} in {@code ggml.h}). */
final class GgufTensorTypes {

    private static final Map<TensorType, Integer> CODES = Map.ofEntries(
            Map.entry(TensorType.F32, 0),
            Map.entry(TensorType.F16, 1),
            Map.entry(TensorType.Q4_0, 2),
            Map.entry(TensorType.Q4_1, 3),
            Map.entry(TensorType.Q5_0, 6),
            Map.entry(TensorType.Q5_1, 7),
            Map.entry(TensorType.Q8_0, 8),
            Map.entry(TensorType.Q4_K, 12),
            Map.entry(TensorType.Q5_K, 13),
            Map.entry(TensorType.Q6_K, 14),
            Map.entry(TensorType.I8, 24),
            Map.entry(TensorType.I16, 25),
            Map.entry(TensorType.I32, 26),
            Map.entry(TensorType.I64, 27),
            Map.entry(TensorType.F64, 28),
            Map.entry(TensorType.BF16, 30));

    private GgufTensorTypes() {}

    static Optional<TensorType> of(int code) {
        return CODES.entrySet().stream()
                .filter(entry -> entry.getValue() == code)
                .map(Map.Entry::getKey)
                .findFirst();
    }

    static int code(TensorType type) {
        Integer code = CODES.get(type);
        if (code == null) {
            throw new IllegalArgumentException(type + " has no number in GGUF");
        }
        return code;
    }
}
