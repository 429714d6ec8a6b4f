package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.DivergenceException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Decodes many responses in one session, a bounded number at a time: when one is done, the next prompt that waits takes its
 * place.
 */
final class DecodingBatch {

    /** Logits below which handing rows to other threads costs more than it saves. */
    private static final int PARALLEL_FROM = 1 << 15;

    private final DecodingSession session;
    private final List<GrowingResponse> responses;
    private final int maxBatch;
    private final TokenListener listener;

    /** Numbers of the responses that have begun and are not done, ascending. */
    private int[] growing = {};

    private int nextToBegin;

    /**
     * @param session a new one
     * @param maxBatch responses that grow at a time, ≥ 1
     */
    DecodingBatch(DecodingSession session, List<GrowingResponse> responses, int maxBatch, TokenListener listener) {
        this.session = session;
        this.responses = responses;
        this.maxBatch = maxBatch;
        this.listener = listener;
    }

    /** Grows every response until it is done. */
    void run() {
        begin();
        while (growing.length > 0) {
            draw(growing, session.advance(growing, lastTokens()));
            leave();
            begin();
        }
    }

    /** Lets prompts in while there is room; some are done with their first token. */
    private void begin() {
        while (growing.length < maxBatch && nextToBegin < responses.size()) {
            int count = Math.min(maxBatch - growing.length, responses.size() - nextToBegin);
            int[] entering = IntStream.range(nextToBegin, nextToBegin + count).toArray();
            nextToBegin += count;
            draw(
                    entering,
                    session.start(Arrays.stream(entering)
                            .mapToObj(i -> responses.get(i).prompt())
                            .toList()));
            growing = IntStream.concat(Arrays.stream(growing), Arrays.stream(entering))
                    .toArray();
            leave();
        }
    }

    private void leave() {
        for (int response : growing) {
            if (responses.get(response).done()) {
                session.release(response);
            }
        }
        growing = Arrays.stream(growing)
                .filter(response -> !responses.get(response).done())
                .toArray();
    }

    /** Draws a token for each of some responses, from a row of logits each. */
    private void draw(int[] drawing, float[][] logits) {
        TokenSampler.Draw[] draws = new TokenSampler.Draw[drawing.length];
        IntStream rows = IntStream.range(0, drawing.length);
        if ((long) drawing.length * logits[0].length >= PARALLEL_FROM) {
            rows = rows.parallel();
        }
        rows.forEach(row -> draws[row] = drawRow(drawing[row], logits[row]));
        for (int row = 0; row < draws.length; row++) {
            tell(drawing[row], draws[row]);
        }
    }

    private TokenSampler.Draw drawRow(int response, float[] logits) {
        try {
            return responses.get(response).draw(logits);
        } catch (DivergenceException e) {
            throw new DivergenceException("completing prompt " + response + ": " + e.getMessage());
        }
    }

    private void tell(int number, TokenSampler.Draw draw) {
        GrowingResponse response = responses.get(number);
        String newText = response.append(draw);
        listener.onToken(number, draw.token(), newText);
        if (response.done()) {
            listener.onEnd(number, response.completion());
        }
    }

    private int[] lastTokens() {
        return Arrays.stream(growing)
                .map(response -> responses.get(response).lastToken())
                .toArray();
    }
}
