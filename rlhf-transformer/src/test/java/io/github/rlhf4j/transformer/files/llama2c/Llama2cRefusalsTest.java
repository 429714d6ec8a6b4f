package io.github.rlhf4j.transformer.files.llama2c;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each field of the header: what breaks its rule is refused by file, field, rule and value. */
class Llama2cRefusalsTest {

    @TempDir
    Path directory;

    private void assertRefused(int[] header, String... says) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 * header.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(header);
        Path file = Files.write(directory.resolve("model.bin"), bytes.array());
        assertThatIOException()
                .isThrownBy(() -> Llama2cFile.open(file).close())
                .withMessageStartingWith(file + ": ")
                .withMessageContainingAll(says);
    }

    /** dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len with one of them changed. */
    private static int[] with(int field, int value) {
        int[] header = {8, 12, 2, 4, 2, 11, 6};
        header[field] = value;
        return header;
    }

    @Test
    void everyFieldIsHeldToItsRule() throws IOException {
        assertRefused(with(0, 0), "dim must be at least 1, it is 0");
        assertRefused(with(0, -8), "dim must be at least 1, it is -8");
        assertRefused(with(0, 12), "dim must be an even head size times n_heads 4, it is 12");
        assertRefused(with(1, 0), "hidden_dim must be at least 1, it is 0");
        assertRefused(with(2, 0), "n_layers must be from 1 to 10000, it is 0");
        assertRefused(with(2, 1_000_000_000), "n_layers must be from 1 to 10000, it is 1000000000");
        assertRefused(with(3, 3), "n_heads must be a divisor of dim 8, it is 3");
        assertRefused(with(3, 0), "n_heads must be a divisor of dim 8, it is 0");
        assertRefused(with(4, 3), "n_kv_heads must be a divisor of n_heads 4, it is 3");
        assertRefused(with(4, -1), "n_kv_heads must be a divisor of n_heads 4, it is -1");
        assertRefused(with(5, 0), "vocab_size must be at least 1 in magnitude, it is 0");
        assertRefused(with(5, Integer.MIN_VALUE), "vocab_size must be at least 1 in magnitude, it is -2147483648");
        assertRefused(with(6, 0), "seq_len must be at least 1, it is 0");
    }

    @Test
    void aSizeThatDoesNotFollowFromTheHeaderIsRefused() throws IOException {
        assertRefused(with(0, 8), "asks for", "bytes, the file has 28", "truncated, or no llama2.c model of version 0");
        assertRefused(new int[] {8, 12}, "28 bytes of header, this file has 8 bytes");
        assertRefused(new int[] {0x616b3432, 1, 0, 0, 0, 0, 0}, "of version 1", "export.py --version 0");
        int large = Integer.MAX_VALUE - 1;
        assertRefused(new int[] {large, large, 10_000, 1, 1, large, large}, "asks for more bytes than any file has");
    }

    @Test
    void whatTheHeaderAsksForIsWhatItsTensorsTake() {
        for (Llama2cHeader header : new Llama2cHeader[] {
            new Llama2cHeader(8, 12, 2, 4, 2, 11, 6, true),
            new Llama2cHeader(8, 12, 2, 4, 2, 11, 6, false),
            new Llama2cHeader(6, 1, 3, 1, 1, 5, 7, false)
        }) {
            long end = header.tensors().values().stream()
                    .mapToLong(tensor -> tensor.end())
                    .max()
                    .orElseThrow();
            assertThat(header.tensorBytes()).isEqualTo(end);
        }
    }

    @Test
    void aMissingTensorIsNotWritten() {
        Path file = directory.resolve("none.bin");
        Llama2cHeader header = new Llama2cHeader(8, 12, 2, 4, 2, 11, 6, true);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Llama2cFile.write(file, header, Map.of()))
                .withMessageContaining("tensor tok_embeddings.weight is missing");
        assertThat(file).doesNotExist();
    }
}
