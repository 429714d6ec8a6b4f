package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Saves and loads tokenizers as Hugging Face's {@code tokenizer.json}, which the Python packages {@code tokenizers} and
 * {@code transformers} open as it is.
 *
 * <p>There, {@code encode} also turns the names of special tokens that it finds in text into special tokens; here it never
 * does. On all other text both yield the same ids.
 */
public final class TokenizerFiles {

    /** The name Hugging Face gives the file. */
    public static final String FILE_NAME = "tokenizer.json";

    private TokenizerFiles() {}

    /**
     * Writes {@code tokenizer} to {@code path}: the file itself, or an existing directory, in which it is called
     * {@value #FILE_NAME}; missing directories are made. Written beside, synced and renamed, so that an old file survives a
     * failure.
     *
     * @throws IllegalArgumentException when it is neither a {@link BytePairTokenizer} nor a {@link CharacterTokenizer}
     */
    public static void save(Tokenizer tokenizer, Path path) throws IOException {
        byte[] json = TokenizerJson.MAPPER
                .writerWithDefaultPrettyPrinter()
                .writeValueAsBytes(TokenizerJsonWriter.toJson(tokenizer));
        Path file = file(path).toAbsolutePath();
        Files.createDirectories(file.getParent());
        DurableFiles.replace(file, json);
    }

    /**
     * Reads the tokenizer at {@code path}: the file, or a directory with a {@value #FILE_NAME} in it. Understood are
     * byte-level BPE (GPT-2, SmolLM2 and their relatives: any splits before the byte level, no normaliser) and the
     * character tokenizers written here.
     *
     * @throws IOException when the file is missing, malformed or of another kind, naming file, field and remedy
     */
    public static Tokenizer load(Path path) throws IOException {
        Path file = file(path);
        return new TokenizerJsonReader(file, TokenizerJson.readObject(file)).read();
    }

    private static Path file(Path path) {
        return Files.isDirectory(path) ? path.resolve(FILE_NAME) : path;
    }
}
