package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

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

    /** The name Hugging Face gives the file with the roles of the special tokens. */
    public static final String CONFIG_NAME = "tokenizer_config.json";

    private TokenizerFiles() {}

    /**
     * Writes {@code tokenizer} to {@code path}: the file itself, or an existing directory, in which it is called
     * {@value #FILE_NAME}; missing directories are made. Written beside, synced and renamed, so that an old file survives a
     * failure.
     *
     * @throws IllegalArgumentException when it is no {@link BytePairTokenizer}, {@link SentencePieceTokenizer} or
     *     {@link CharacterTokenizer}
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
     * byte-level BPE (GPT-2, LLaMA 3, Qwen2, SmolLM2 and their relatives: any splits before the byte level, no normaliser or
     * NFC), SentencePiece's BPE (LLaMA 2, Mistral) and the character tokenizers written here. A {@value #CONFIG_NAME} beside
     * the file is asked for the tokens that begin and end a text; whether they are added, the file itself says.
     *
     * @throws IOException when the file is missing, malformed or of another kind, naming file, field and remedy
     */
    public static Tokenizer load(Path path) throws IOException {
        Path file = file(path);
        return TokenizerConfig.framed(
                new TokenizerJsonReader(file, TokenizerJson.readObject(file)).read(), file.resolveSibling(CONFIG_NAME));
    }

    /**
     * Writes {@value #CONFIG_NAME} to {@code directory}, in which {@code transformers} looks for the names of the tokens that
     * begin and end a text and that pad one, and for the class that reads {@value #FILE_NAME} as it is. Other fields of a file
     * that is there already, such as a chat template, stay.
     *
     * @param padding id of the token that pads; empty for none
     * @throws IOException when the file that is there is malformed, or writing fails
     */
    public static void saveConfig(Tokenizer tokenizer, Path directory, OptionalInt padding) throws IOException {
        Path file = directory.resolve(CONFIG_NAME).toAbsolutePath();
        byte[] json = TokenizerJson.MAPPER
                .writerWithDefaultPrettyPrinter()
                .writeValueAsBytes(TokenizerConfig.toJson(tokenizer, file, padding));
        Files.createDirectories(file.getParent());
        DurableFiles.replace(file, json);
    }

    private static Path file(Path path) {
        return Files.isDirectory(path) ? path.resolve(FILE_NAME) : path;
    }
}
