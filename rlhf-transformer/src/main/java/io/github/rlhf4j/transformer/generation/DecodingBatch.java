package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.DivergenceException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The responses of one session that are still growing. */
final class DecodingBatch {

    /** Logits below which handing rows to other threads costs more than it saves. */
    private static final int PARALLEL_FROM = 1 << 15;

    private final List<GrowingResponse> responses;
    private final int firstIndex;
    private final TokenListener listener;
    private int[] growing;

    /**
     * @param firstIndex index of the first response among all prompts, for the listener
     */
    DecodingBatch(List<GrowingResponse> responses, int firstIndex, TokenListener listener) {
        this.responses = responses;
        this.firstIndex = firstIndex;
        this.listener = listener;
        this.growing = IntStream.range(0, responses.size()).toArray();
    }

    /**
     * Draws a token for each growing response and drops those that are done.
     *
     * @param logits one row for each of {@link #sequences()}
     * @return whether any is left
     */
    boolean draw(float[][] logits) {
        TokenSampler.Draw[] draws = new TokenSampler.Draw[growing.length];
        IntStream rows = IntStream.range(0, growing.length);
        if ((long) growing.length * logits[0].length >= PARALLEL_FROM) {
            rows = rows.parallel();
        }
        rows.forEach(row -> draws[row] = drawRow(row, logits[row]));
        for (int row = 0; row < draws.length; row++) {
            tell(growing[row], draws[row]);
        }
        growing = Arrays.stream(growing)
                .filter(sequence -> !responses.get(sequence).done())
                .toArray();
        return growing.length > 0;
    }

    private TokenSampler.Draw drawRow(int row, float[] logits) {
        try {
            return responses.get(growing[row]).draw(logits);
        } catch (DivergenceException e) {
            throw new DivergenceException("completing prompt " + (firstIndex + growing[row]) + ": " + e.getMessage());
        }
    }

    private void tell(int sequence, TokenSampler.Draw draw) {
        GrowingResponse response = responses.get(sequence);
        String newText = response.append(draw);
        listener.onToken(firstIndex + sequence, draw.token(), newText);
        if (response.done()) {
            listener.onEnd(firstIndex + sequence, response.completion());
        }
    }

    /** Indices of the growing responses within the session, ascending. */
    int[] sequences() {
        return growing;
    }

    /** The last token of each growing response. */
    int[] lastTokens() {
        return Arrays.stream(growing)
                .map(sequence -> responses.get(sequence).lastToken())
                .toArray();
    }
}
