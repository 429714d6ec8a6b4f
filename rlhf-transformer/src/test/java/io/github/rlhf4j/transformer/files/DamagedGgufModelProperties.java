package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.files.gguf.GgufFile;
import io.github.rlhf4j.transformer.files.gguf.GgufType;
import io.github.rlhf4j.transformer.files.gguf.GgufValue;
import io.github.rlhf4j.transformer.model.Initialization;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.nd4j.linalg.api.buffer.DataType;

/** A model in GGUF with anything under any key is a model or a message that names the key or a tensor. */
class DamagedGgufModelProperties {

    private static final List<GgufValue> ODD = new ArrayList<>();
    private static final List<Damage> DAMAGE = new ArrayList<>();
    private static final List<Path> FILES = new ArrayList<>();

    @BeforeContainer
    static void writeSoundFiles() throws IOException {
        for (long number : List.of(0L, 1L, 3L, 5L, 268_435_456L, 1_073_741_824L, 2_147_483_647L, 2_147_483_648L)) {
            ODD.add(new GgufValue.Whole(GgufType.UINT32, number));
        }
        for (long number : List.of(-1L, 1L << 60, Long.MIN_VALUE, Long.MAX_VALUE)) {
            ODD.add(new GgufValue.Whole(GgufType.INT64, number));
            ODD.add(new GgufValue.Whole(GgufType.UINT64, number));
        }
        for (double number : List.of(Double.NaN, 0.0, -1.0, 1.0, 0.5, 1e300, Double.POSITIVE_INFINITY)) {
            ODD.add(new GgufValue.Real(GgufType.FLOAT64, number));
        }
        ODD.add(new GgufValue.Text("x"));
        ODD.add(new GgufValue.Text(""));
        ODD.add(new GgufValue.Flag(true));
        ODD.add(new GgufValue.Flag(false));
        ODD.add(new GgufValue.Values(GgufType.STRING, List.of()));
        ODD.add(new GgufValue.Values(GgufType.STRING, List.of(new GgufValue.Text("a b"), new GgufValue.Text("ab"))));
        ODD.add(new GgufValue.Values(GgufType.FLOAT32, List.of(new GgufValue.Real(GgufType.FLOAT32, Double.NaN))));
        ODD.add(new GgufValue.Values(GgufType.ARRAY, List.of(new GgufValue.Values(GgufType.UINT8, List.of()))));

        Tokenizer bytes = TokenizerFiles.load(Path.of("src/test/resources/tokenizers/llama3.json"));
        Tokenizer pieces = TokenizerFiles.load(Path.of("src/test/resources/tokenizers/llama2.json"));
        int v = bytes.vocabularySize();
        write(bytes, TransformerConfig.gpt2(v, 8, 4, 1, 2));
        write(
                bytes,
                TransformerConfig.llama(v, 8, 4, 1, 2).toBuilder()
                        .rotary(new Rotary(500_000, new Rotary.Llama3(8, 1, 4, 64)))
                        .build());
        write(
                pieces,
                TransformerConfig.llama(pieces.vocabularySize(), 8, 8, 1, 4).toBuilder()
                        .keyValueHeads(2)
                        .rotary(new Rotary(10_000, new Rotary.Linear(2)))
                        .build());
        write(bytes, TransformerConfig.qwen2(v, 8, 4, 1, 2));
    }

    private static void write(Tokenizer tokenizer, TransformerConfig config) throws IOException {
        Path file = Files.createTempDirectory("damaged-model").resolve("damaged.gguf");
        try (ParameterStore store = Transformer.declareWithHead(config).allocate(DataType.FLOAT)) {
            Initialization.gpt2(store, config, RandomKey.of(1));
            GgufModel.save(file, config, store, tokenizer, Optional.of("{{ messages }}"), TensorType.F32);
        }
        DAMAGE.add(new Damage(file, () -> {
            GgufModel model = GgufModel.open(file);
            Damage.readModel(model, Files.size(file));
            assertThat(model.tokenizer().encode("The cat's 123 \ud800").toArray())
                    .isNotNull();
        }));
        FILES.add(file);
    }

    @Example
    void anythingUnderAnyKeyIsAModelOrNamed() throws IOException {
        for (int i = 0; i < FILES.size(); i++) {
            Path sound = FILES.get(i).resolveSibling("sound.gguf");
            Files.write(sound, DAMAGE.get(i).sound());
            try (GgufFile file = GgufFile.open(sound)) {
                for (String key : file.metadata().values().keySet()) {
                    if (key.equals("general.alignment")) {
                        continue;
                    }
                    for (GgufValue odd : ODD) {
                        assertNamed(file, DAMAGE.get(i), key, odd);
                    }
                    assertNamed(file, DAMAGE.get(i), key, null);
                }
            }
        }
    }

    private static void assertNamed(GgufFile file, Damage damage, String key, GgufValue odd) throws IOException {
        Map<String, GgufValue> metadata = file.metadata().copy();
        metadata.remove(key);
        if (odd != null) {
            metadata.put(key, odd);
        }
        List<WritableTensor> tensors = file.tensors().values().stream()
                .map(t -> new WritableTensor(t.name(), t.type(), t.shape(), file.numbers(t.name())))
                .toList();
        Path changed = file.path().resolveSibling("changed.gguf");
        GgufFile.write(changed, metadata, tensors);
        String what = key + " = " + odd;
        String message = damage.read(Files.readAllBytes(changed), what);
        if (message != null) {
            String name = key.substring(key.indexOf('.') + 1);
            assertThat(message.contains(name) || message.contains("tensor") || message.contains("tokenizer.ggml."))
                    .as("%s is refused by key or tensor: %s", what, message)
                    .isTrue();
        }
    }

    @Property(tries = 1500)
    void flippedBytesAreAnsweredOrRefused(
            @ForAll @IntRange(max = 3) int model,
            @ForAll @IntRange(max = 100_000) int first,
            @ForAll @IntRange(max = 100_000) int second,
            @ForAll byte mask,
            @ForAll byte otherMask)
            throws IOException {
        DAMAGE.get(model).flip(first, mask, second, otherMask);
    }

    @Property(tries = 1500)
    void oddNumbersAnywhereAreAnsweredOrRefused(
            @ForAll @IntRange(max = 3) int model,
            @ForAll @IntRange(max = 100_000) int at,
            @ForAll @IntRange(max = 11) int number,
            @ForAll boolean wide)
            throws IOException {
        Damage damage = DAMAGE.get(model);
        damage.splice(at % (damage.sound().length - 8), wide ? 8 : 4, Damage.ODD_NUMBERS[number]);
    }
}
