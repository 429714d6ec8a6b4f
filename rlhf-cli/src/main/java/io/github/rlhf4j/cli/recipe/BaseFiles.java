package io.github.rlhf4j.cli.recipe;

import com.google.common.hash.Hashing;
import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of the models a run begins with, which lie outside its directory: they must stay what they were, or a run that is
 * gone on with would put adapters on another model. Their digests are kept as {@code sha256sum} prints them.
 */
final class BaseFiles {

    private static final List<String> ENDINGS = List.of(".safetensors", ".json", ".jinja", ".gguf", ".bin");

    private BaseFiles() {}

    /**
     * Writes the digests down the first time, and compares them after that.
     *
     * @throws InputException naming what was changed
     */
    static void requireUnchanged(RecipeConfig.Base base, Path digests) throws IOException {
        List<String> now = new ArrayList<>();
        for (Path file : files(base)) {
            now.add(com.google.common.io.Files.asByteSource(file.toFile()).hash(Hashing.sha256()) + "  " + file);
        }
        if (now.isEmpty()) {
            return;
        }
        if (!Files.exists(digests)) {
            DurableFiles.replace(digests, (String.join("\n", now) + "\n").getBytes(StandardCharsets.UTF_8));
            return;
        }
        List<String> before = Files.readAllLines(digests);
        if (!before.equals(now)) {
            String changed = Stream.concat(
                            before.stream().filter(line -> !now.contains(line)),
                            now.stream().filter(line -> !before.contains(line)))
                    .map(line -> line.substring(line.indexOf("  ") + 2))
                    .distinct()
                    .reduce((first, second) -> first + ", " + second)
                    .orElse("their order");
            throw new InputException("the model that this run began with has changed since (" + changed
                    + "); put the old files back, or begin another run with --out");
        }
    }

    private static List<Path> files(RecipeConfig.Base base) throws IOException {
        List<Path> files = new ArrayList<>();
        add(base.model(), files);
        add(base.rewardModel(), files);
        add(base.chatTemplate(), files);
        return files;
    }

    /** llama2.c's models have their tokenizers beside them. */
    private static void addTokenizers(Path model, List<Path> files) throws IOException {
        Path folder = model.toAbsolutePath().getParent();
        if (folder != null) {
            try (Stream<Path> entries = Files.list(folder)) {
                entries.filter(file -> file.getFileName().toString().matches("tok.*\\.bin"))
                        .sorted()
                        .forEach(files::add);
            }
        }
    }

    private static void add(@Nullable String named, List<Path> files) throws IOException {
        if (named == null) {
            return;
        }
        Path path = Path.of(named);
        if (!Files.isDirectory(path)) {
            files.add(path);
            if (named.endsWith(".bin")) {
                addTokenizers(path, files);
            }
            return;
        }
        try (Stream<Path> entries = Files.list(path)) {
            entries.filter(Files::isRegularFile)
                    .filter(file -> ENDINGS.stream().anyMatch(file.toString().toLowerCase(Locale.ROOT)::endsWith))
                    .sorted()
                    .forEach(files::add);
        }
    }
}
