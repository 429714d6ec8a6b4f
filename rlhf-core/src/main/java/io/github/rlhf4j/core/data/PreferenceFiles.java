package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.internal.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Preferences for reward models and DPO, from JSON Lines (plain or gzip) or a JSON array. Each row may have one of these
 * shapes, told by its fields:
 *
 * <ul>
 *   <li>{@code prompt/chosen/rejected}: the prompt a text or messages (also {@code messages}, {@code conversations},
 *       {@code instruction/input}, {@code question}), the other two texts, a message, or messages
 *   <li>{@code chosen/rejected} (Anthropic HH): two transcripts {@code "\n\nHuman: …\n\nAssistant: …"}, or two lists of
 *       messages, whose common beginning is the prompt
 *   <li>{@code prompt/responses/ranks}: K ≥ 2 texts and their ranks, 0 the best, ties allowed (what {@link #write} writes)
 *   <li>an Open Assistant tree: one ranking per prompt with at least two ranked replies
 * </ul>
 *
 * <p>A row in which no response wins over another (chosen and rejected equal, all ranks tied) is an error.
 */
public final class PreferenceFiles {

    private PreferenceFiles() {}

    /**
     * All rankings of a file.
     *
     * @throws DatasetException naming line, field and remedy where the file is not such a dataset
     */
    public static PreferenceDataset read(Path file) throws IOException {
        List<Ranking> rankings = new ArrayList<>();
        forEach(file, rankings::add);
        if (rankings.isEmpty()) {
            throw new DatasetException(file + " has no prompt with two ranked replies; there is nothing to learn from");
        }
        return PreferenceDataset.of(rankings);
    }

    /** Passes the rankings of a file on one by one, in its order; for files larger than the memory. */
    public static void forEach(Path file, Consumer<? super Ranking> consumer) throws IOException {
        JsonRows.forEach(file, row -> PreferenceRow.rankings(row).forEach(consumer));
    }

    /** Writes rankings, gzip when the name ends in {@code .gz}; {@link #read} gives them back. */
    public static void write(Path file, Iterable<Ranking> rankings) throws IOException {
        try (JsonLinesWriter writer = new JsonLinesWriter(file)) {
            for (Ranking ranking : rankings) {
                writer.write(row(ranking));
            }
            writer.commit();
        }
    }

    private static ObjectNode row(Ranking ranking) {
        ObjectNode row = Json.object();
        row.set("prompt", JsonLinesWriter.messages(ranking.conversation()));
        ArrayNode responses = row.putArray("responses");
        ranking.responses().forEach(responses::add);
        ArrayNode ranks = row.putArray("ranks");
        ranking.ranks().forEach(ranks::add);
        return row;
    }
}
