package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.recipe.ModelFiles;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.MemoryEstimate;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a model is, without loading its weights. */
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = "Describe a model: architecture, parameters, memory, tokenizer.")
final class InspectCommand implements Callable<Integer> {

    /** Tokens of a micro-batch for which the memory of training is said. */
    private static final int TOKENS = 2048;

    @Parameters(
            paramLabel = "MODEL",
            description = "A directory of Hugging Face transformers, a .gguf file, or a .bin file of llama2.c.")
    Path model = Path.of("");

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Rlhf.out(spec);
        ModelSource source = ModelFiles.source(model);
        TransformerConfig config = source.config();
        line(out, "kind", source.hasScoreHead() ? "reward model" : "language model");
        line(out, "layers", config.layers() + " of width " + config.width() + ", " + blocks(config));
        line(out, "attention", attention(config));
        line(out, "feed-forward", config.activation() + ", " + config.feedForwardWidth() + " wide");
        line(out, "positions", positions(config) + ", context of " + config.contextLength() + " tokens");
        line(out, "norm", config.norm() + ", epsilon " + config.normEpsilon());
        line(out, "biases", config.biases().toString());
        line(out, "token head", config.tiedEmbeddings() ? "the transposed embedding" : "of its own");
        line(out, "parameters", parameters(source));
        line(out, "stored as", source.storedTypes());
        line(out, "memory to infer", MemoryEstimate.frozen(config).toString());
        long tokens = Math.max(TOKENS, config.contextLength());
        line(
                out,
                "memory to train",
                MemoryEstimate.training(config, tokens, Recomputation.NONE) + " (" + tokens + " tokens a pass)");
        tokenizer(source, out);
        Optional<String> template = source.chatTemplate();
        line(out, "chat template", template.isPresent() ? template.get().length() + " characters" : "none");
        return 0;
    }

    private static void line(PrintWriter out, String what, String value) {
        out.println(String.format(Locale.ROOT, "%-16s %s", what, value));
    }

    private static String blocks(TransformerConfig config) {
        return config.block().toString().toLowerCase(Locale.ROOT) + " blocks";
    }

    private static String attention(TransformerConfig config) {
        return config.heads() + " heads of " + config.headSize() + ", " + config.keyValueHeads()
                + " of keys and values";
    }

    private static String positions(TransformerConfig config) {
        return config.rotary() == null ? "learned" : config.rotary().toString();
    }

    private static String parameters(ModelSource source) {
        long count = source.hasScoreHead()
                ? Transformer.declare(source.config()).count() + source.config().width()
                : Transformer.declareWithHead(source.config()).count();
        return String.format(Locale.ROOT, "%,d", count);
    }

    /** A model whose tokenizer cannot be read can still be looked at. */
    private static void tokenizer(ModelSource source, PrintWriter out) {
        try {
            Tokenizer tokenizer = source.tokenizer();
            line(
                    out,
                    "tokenizer",
                    tokenizer.getClass().getSimpleName() + ", " + tokenizer.vocabularySize() + " tokens, special: "
                            + tokenizer.specialTokens().keySet().stream()
                                    .limit(20)
                                    .toList());
        } catch (IOException e) {
            line(out, "tokenizer", "cannot be read: " + e.getMessage());
        }
    }
}
