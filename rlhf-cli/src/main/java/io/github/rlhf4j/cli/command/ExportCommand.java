package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.recipe.BackendSelection;
import io.github.rlhf4j.cli.recipe.ModelFiles;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.files.GgufModel;
import io.github.rlhf4j.transformer.files.Llama2cModel;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.files.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a model in the form that another program wants. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = "Write a model for another program: transformers, llama.cpp and Ollama, llama2.c.")
final class ExportCommand implements Callable<Integer> {

    /** What numbers are stored as. */
    enum Type {
        F32,
        F16,
        BF16,
        Q8_0
    }

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A directory of Hugging Face transformers, a .gguf file, or a .bin file of llama2.c.")
    Path model = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            description = "A new directory, a .gguf file, or a .bin file; what is written follows from the name.")
    Path target = Path.of("");

    @Option(names = "--type", description = "f32, f16, bf16, of a .gguf also q8_0; default f32.")
    Type type = Type.F32;

    @Option(names = "--shard-bytes", description = "The most bytes of a safetensors file; default ${DEFAULT-VALUE}.")
    long shardBytes = ModelDirectory.SHARD_BYTES;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        requireFree(target);
        BackendSelection.select(ComputeBackend.CPU);
        try (TransformerPolicy policy = ModelFiles.policy(model)) {
            write(policy, ModelSource.open(model).chatTemplate());
        } catch (IllegalArgumentException e) {
            throw new InputException("cannot write " + target + ": " + e.getMessage(), e);
        }
        Rlhf.out(spec).println("wrote " + target);
        return 0;
    }

    private static void requireFree(Path target) throws IOException {
        if (Files.isDirectory(target)) {
            try (Stream<Path> entries = Files.list(target)) {
                if (entries.findAny().isEmpty()) {
                    return;
                }
            }
        }
        if (Files.exists(target)) {
            throw new InputException(target + " exists already; name a place where there is nothing yet");
        }
    }

    private void write(TransformerPolicy policy, Optional<String> template) throws IOException {
        String name = String.valueOf(target.getFileName()).toLowerCase(Locale.ROOT);
        Tokenizer tokenizer = policy.tokenizer();
        TensorType stored = TensorType.valueOf(type.name());
        if (name.endsWith(".gguf")) {
            GgufModel.save(target, policy.config(), policy.parameters(), tokenizer, template, stored);
        } else if (name.endsWith(".bin")) {
            requireType(type == Type.F32, "a .bin file of llama2.c holds f32");
            Llama2cModel.save(target, policy.config(), policy.parameters());
        } else {
            requireType(type != Type.Q8_0, "a directory holds f32, f16 or bf16");
            ModelDirectory.save(target, policy.config(), policy.parameters(), tokenizer, stored, shardBytes);
            if (template.isPresent()) {
                ModelDirectory.saveChatTemplate(target, template.get());
            }
        }
    }

    private void requireType(boolean holds, String rule) {
        if (!holds) {
            throw new InputException(
                    "--type " + type.name().toLowerCase(Locale.ROOT) + " does not fit " + target + ": " + rule);
        }
    }
}
