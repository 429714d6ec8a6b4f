package io.github.rlhf4j.benchmarks.work;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Token sequences in a file that both sides read: lines {@code {"tokens": [5, 3, 8], "scoredFrom": 1}}, everything from there
 * on scored.
 */
public final class SequenceFile {

    private static final String NAME = "sequences.jsonl";
    private static final ObjectMapper JSON = new ObjectMapper();

    private record Line(int[] tokens, int scoredFrom) {

        static Line of(ScoredSequence sequence) {
            int from = sequence.length() - sequence.scoredCount();
            if (sequence.scoredCount() == 0 || sequence.position(0) != from) {
                throw new IllegalArgumentException(
                        "the scored tokens of a sequence here are its last, got " + sequence);
            }
            return new Line(sequence.tokens().stream().toArray(), from);
        }

        ScoredSequence sequence() {
            return ScoredSequence.of(
                    TokenSequence.of(tokens),
                    IntStream.range(scoredFrom, tokens.length).toArray());
        }
    }

    private SequenceFile() {}

    /** Writes the sequences of a job. */
    public static void write(Path directory, List<ScoredSequence> sequences) throws IOException {
        List<String> lines = new ArrayList<>();
        for (ScoredSequence sequence : sequences) {
            lines.add(JSON.writeValueAsString(Line.of(sequence)));
        }
        Files.writeString(directory.resolve(NAME), lines.stream().collect(Collectors.joining("\n")));
    }

    /** Reads the sequences of a job. */
    public static List<ScoredSequence> read(Path directory) throws IOException {
        List<ScoredSequence> sequences = new ArrayList<>();
        for (String line : Files.readAllLines(directory.resolve(NAME))) {
            sequences.add(JSON.readValue(line, Line.class).sequence());
        }
        return sequences;
    }
}
