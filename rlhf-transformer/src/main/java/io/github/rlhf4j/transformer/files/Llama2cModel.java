package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.transformer.files.llama2c.Llama2cFile;
import io.github.rlhf4j.transformer.files.llama2c.Llama2cHeader;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model of llama2.c ({@code .bin} version 0), a LLaMA with rotary positions of base 10,000. Its tokenizer lies beside it:
 * {@code tokenizer.bin}, or {@code tok512.bin} for a vocabulary of 512.
 */
public final class Llama2cModel implements ModelSource {

    private final Path path;
    private final TransformerConfig config;

    private Llama2cModel(Path path, TransformerConfig config) {
        this.path = path;
        this.config = config;
    }

    /**
     * Opens a file.
     *
     * @throws IOException naming the field of the header that is wrong, or the size that does not fit
     */
    public static Llama2cModel open(Path path) throws IOException {
        try (Llama2cFile file = Llama2cFile.open(path)) {
            Llama2cHeader header = file.header();
            TransformerConfig config = TransformerConfig.llama(
                            header.vocabularySize(),
                            header.contextLength(),
                            header.width(),
                            header.layers(),
                            header.heads())
                    .toBuilder()
                    .keyValueHeads(header.keyValueHeads())
                    .feedForwardWidth(header.hidden())
                    .tiedEmbeddings(header.tiedEmbeddings())
                    .build();
            return new Llama2cModel(path, config);
        }
    }

    /**
     * Writes a model that llama2.c runs: beside its place, synced and renamed. The tokenizer is not written.
     *
     * @throws IllegalArgumentException when the shape is not LLaMA's with base 10,000, ε 1e-5 and C/H wide heads
     */
    public static void save(Path path, TransformerConfig config, ParameterStore parameters) throws IOException {
        boolean runs = LlamaFamily.LLAMA.describes(config)
                && config.biases() == TransformerConfig.Biases.NONE
                && Rotary.of(10_000).equals(config.rotary())
                && config.normEpsilon() == 1e-5
                && config.headSize() * config.heads() == config.width();
        if (!runs) {
            throw new IllegalArgumentException(
                    "llama2.c runs LLaMA without biases, with rotary positions of base 10,000,"
                            + " ε 1e-5 and heads of width/heads, not " + config);
        }
        Llama2cHeader header = new Llama2cHeader(
                config.width(),
                config.feedForwardWidth(),
                config.layers(),
                config.heads(),
                config.keyValueHeads(),
                config.vocabularySize(),
                config.contextLength(),
                config.tiedEmbeddings());
        Map<String, Numbers> numbers = new HashMap<>();
        StoredWeights.of(parameters, layout(config), StoredWeights.Types.all(TensorType.F32))
                .forEach(tensor -> numbers.put(tensor.name(), tensor.numbers()));
        DurableFiles.replace(path, file -> Llama2cFile.write(file, header, numbers));
    }

    private static List<StoredPart> layout(TransformerConfig config) {
        return LlamaNames.LLAMA2C.layout(config, true, 0, false);
    }

    @Override
    public TransformerConfig config() {
        return config;
    }

    @Override
    public boolean hasScoreHead() {
        return false;
    }

    @Override
    public Tokenizer tokenizer() throws IOException {
        List<Path> places = List.of(
                path.resolveSibling("tokenizer.bin"), path.resolveSibling("tok" + config.vocabularySize() + ".bin"));
        for (Path file : places) {
            if (Files.exists(file)) {
                Tokenizer tokenizer = SentencePieceTokenizer.loadLlama2c(file);
                if (tokenizer.vocabularySize() > config.vocabularySize()) {
                    throw new IOException(file + ": has " + tokenizer.vocabularySize() + " tokens, the model "
                            + config.vocabularySize());
                }
                return tokenizer;
            }
        }
        throw new IOException(path + ": has no tokenizer beside it; copy one of " + places + " there");
    }

    @Override
    public Optional<String> chatTemplate() {
        return Optional.empty();
    }

    @Override
    public String storedTypes() throws IOException {
        try (Llama2cFile file = Llama2cFile.open(path)) {
            return StoredWeights.types(file);
        }
    }

    @Override
    public void readInto(ParameterStore target) throws IOException {
        try (Llama2cFile file = Llama2cFile.open(path)) {
            new StoredWeights(file, layout(config))
                    .readInto(target, name -> name.startsWith("freq_cis_") || name.equals(Transformer.HEAD));
        }
    }
}
