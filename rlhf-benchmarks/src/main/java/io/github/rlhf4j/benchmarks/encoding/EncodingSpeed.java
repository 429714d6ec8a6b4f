package io.github.rlhf4j.benchmarks.encoding;

import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.WordNet;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * How fast text becomes tokens: we, DJL's tokenizers and jtokkit in turns, in one virtual machine, with one vocabulary. The text
 * is every second explanation of WordNet's or the lines of a file, once as one text and once line by line.
 *
 * <p>All must give the same number of tokens, or nothing is timed. Two threads encode the work twice.
 */
public final class EncodingSpeed {

    private static final int WARM_UPS = 1;
    private static final int ROUNDS = 3;

    private EncodingSpeed() {}

    /**
     * Prints a table in Markdown.
     *
     * @param args vocabularies ({@code r50k_base}, {@code cl100k_base}, {@code o200k_base}; the first two by default) and a file of
     *     UTF-8 text, in any order
     */
    public static void main(String[] args) throws Exception {
        List<Vocabularies> vocabularies = new ArrayList<>();
        List<String> lines = null;
        for (String argument : args) {
            Path file = Path.of(argument);
            if (Files.isRegularFile(file)) {
                lines = Files.readAllLines(file);
            } else {
                vocabularies.add(Vocabularies.valueOf(argument.toUpperCase(Locale.ROOT)));
            }
        }
        if (lines == null) {
            List<DictionaryEntry> entries = WordNet.load();
            lines = IntStream.range(0, entries.size() / 2)
                    .mapToObj(i -> entries.get(2 * i).gloss())
                    .toList();
        }
        if (vocabularies.isEmpty()) {
            vocabularies = List.of(Vocabularies.R50K_BASE, Vocabularies.CL100K_BASE);
        }
        run(vocabularies, lines, System.out);
    }

    private static void run(List<Vocabularies> vocabularies, List<String> lines, PrintStream out) throws Exception {
        String whole = String.join("\n", lines);
        double megabytes = whole.getBytes(StandardCharsets.UTF_8).length / 1e6;
        out.println("| vocabulary | text | threads | ours | DJL | jtokkit | ours ÷ DJL | ours ÷ jtokkit |");
        out.println("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for (Vocabularies vocabulary : vocabularies) {
            Path scratch = Files.createTempDirectory("encoding");
            Encoders encoders = Encoders.of(vocabulary, scratch);
            for (int threads = 1; threads <= 2; threads++) {
                String one = String.format(Locale.ROOT, "one of %.1f MB", megabytes);
                out.println(row(vocabulary, one, List.of(whole), threads, megabytes, encoders));
                String many =
                        String.format(Locale.ROOT, "%,d of %.0f bytes", lines.size(), 1e6 * megabytes / lines.size());
                out.println(row(vocabulary, many, lines, threads, megabytes, encoders));
            }
        }
    }

    private static String row(
            Vocabularies vocabulary, String what, List<String> texts, int threads, double megabytes, Encoders encoders)
            throws Exception {
        List<ToLongFunction<String>> sides = List.of(encoders.ours(), encoders.djl(), encoders.jtokkit());
        double[][] seconds = new double[sides.size()][ROUNDS];
        long[] tokens = new long[sides.size()];
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            for (int round = -WARM_UPS; round < ROUNDS; round++) {
                for (int side = 0; side < sides.size(); side++) {
                    long start = System.nanoTime();
                    tokens[side] = encode(pool, threads, texts, sides.get(side));
                    seconds[side][Math.max(0, round)] = (System.nanoTime() - start) / 1e9;
                }
            }
        } finally {
            pool.shutdown();
        }
        if (Arrays.stream(tokens).distinct().count() != 1) {
            throw new IOException("the sides count " + Arrays.toString(tokens) + " tokens; nothing is compared");
        }
        double[] median =
                Arrays.stream(seconds).mapToDouble(EncodingSpeed::median).toArray();
        return String.format(
                Locale.ROOT,
                "| %s | %s | %d | %.1f MB/s | %.1f MB/s | %.1f MB/s | %.2f | %.2f |",
                vocabulary.label(),
                what,
                threads,
                threads * megabytes / median[0],
                threads * megabytes / median[1],
                threads * megabytes / median[2],
                median[0] / median[1],
                median[0] / median[2]);
    }

    /** Each thread encodes all texts. */
    private static long encode(ExecutorService pool, int threads, List<String> texts, ToLongFunction<String> encoder)
            throws InterruptedException, ExecutionException {
        Callable<Long> all = () -> texts.stream().mapToLong(encoder).sum();
        long tokens = 0;
        for (Future<Long> done : pool.invokeAll(Collections.nCopies(threads, all))) {
            tokens += done.get();
        }
        return tokens;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
