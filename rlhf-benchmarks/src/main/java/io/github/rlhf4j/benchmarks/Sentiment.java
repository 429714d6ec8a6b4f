package io.github.rlhf4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Sentiment by the words of VADER's lexicon (Hutto and Gilbert 2014), people's ratings from −4 to 4: their sum s as {@code s/√(s² +
 * 15)}, VADER's own normalisation, without its rules for negation and emphasis.
 */
record Sentiment(Map<String, Double> ratings) {

    static Sentiment read(Path lexicon) throws IOException {
        Map<String, Double> ratings = new HashMap<>();
        for (String line : Files.readAllLines(lexicon)) {
            String[] fields = line.split("\t");
            if (fields.length >= 2) {
                ratings.put(fields[0], Double.parseDouble(fields[1]));
            }
        }
        return new Sentiment(Map.copyOf(ratings));
    }

    /** In (−1, 1). */
    double of(String text) {
        double sum = 0;
        for (String word : text.toLowerCase(Locale.ROOT).split("[^a-z']+")) {
            sum += ratings.getOrDefault(word, 0.0);
        }
        return sum / Math.sqrt(sum * sum + 15);
    }
}
