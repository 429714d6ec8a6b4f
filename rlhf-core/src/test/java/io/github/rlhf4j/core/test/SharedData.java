package io.github.rlhf4j.core.test;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Real data and other people's goldens, which lie beside the checkout and are not part of the product. */
public final class SharedData {

    private SharedData() {}

    /** A file below {@code ../shared}; the calling test is skipped, with a message, when it is absent. */
    public static Path file(String relative) {
        String root = System.getProperty("rlhf.shared", "../../shared");
        Path file = Path.of(root).resolve(relative).normalize();
        assumeTrue(Files.exists(file), () -> "skipped: " + file.toAbsolutePath() + " is not on this machine");
        return file;
    }
}
