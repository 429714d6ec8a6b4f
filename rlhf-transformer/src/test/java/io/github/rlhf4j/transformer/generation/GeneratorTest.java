package io.github.rlhf4j.transformer.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Completion.StopReason;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Batched decoding: what ends a response, what the listener hears, and that batches change nothing. */
class GeneratorTest {

    private static final PieceTokenizer TOKENIZER =
            new PieceTokenizer("Hello", " wor", "ld.", "\nUs", "er:", " Bye", "\nUsual");

    private static Generator over(Supplier<DecodingSession> sessions) {
        return new Generator(TOKENIZER, sessions);
    }

    /** lm-human-preferences, test_sample.py. */
    @Test
    void theDummyModelCountsUp() {
        List<Completion> completions = over(() -> FakeSession.plusOne(100, 10))
                .complete(List.of(TokenSequence.of(5, 0), TokenSequence.of(4, 3)), Sampling.exact(4, 1.0, Set.of()), 1);
        assertThat(completions)
                .extracting(c -> c.prompt().concat(c.response()))
                .containsExactly(TokenSequence.of(5, 0, 1, 2, 3, 4), TokenSequence.of(4, 3, 4, 5, 6, 7));
        assertThat(completions).extracting(Completion::stopReason).containsOnly(StopReason.LENGTH);
        assertThat(completions).noneMatch(Completion::stopped);
    }

    @Test
    void aStopTokenIsTheLastTokenAndItsSequenceLeavesTheBatch() {
        FakeSession session = FakeSession.plusOne(100, 10);
        List<Completion> completions = over(() -> session)
                .complete(
                        List.of(TokenSequence.of(6), TokenSequence.of(2), TokenSequence.of(7)),
                        Sampling.greedy(50, Set.of(8, 9)),
                        1);
        assertThat(completions)
                .extracting(Completion::response)
                .containsExactly(TokenSequence.of(7, 8), TokenSequence.of(3, 4, 5, 6, 7, 8), TokenSequence.of(8));
        assertThat(completions).extracting(Completion::stopReason).containsOnly(StopReason.STOP_TOKEN);
        assertThat(session.advances)
                .as("no token is fed to a sequence that is done")
                .isEqualTo(6);
        assertThat(session.isClosed()).isTrue();
    }

    /** Lengths 6, 1 and 2: who listens can go on with the second before a token was fed to the others. */
    @Test
    void aCompletionIsToldOfWhenItEndsNotWhenAllHaveEnded() {
        FakeSession session = FakeSession.plusOne(100, 10);
        List<Integer> told = new ArrayList<>();
        List<Integer> stepsBefore = new ArrayList<>();
        List<Completion> heard = new ArrayList<>();
        CompletionListener listener = (prompt, completion) -> {
            told.add(prompt);
            stepsBefore.add(session.steps);
            heard.add(completion);
        };
        List<Completion> completions = over(() -> session)
                .complete(
                        List.of(TokenSequence.of(2), TokenSequence.of(7), TokenSequence.of(6)),
                        Sampling.greedy(50, Set.of(8)),
                        1,
                        listener);
        assertThat(told).containsExactly(1, 2, 0);
        assertThat(stepsBefore).containsExactly(0, 1, 5);
        assertThat(heard)
                .extracting(Completion::response)
                .containsExactly(
                        completions.get(1).response(),
                        completions.get(2).response(),
                        completions.get(0).response());
    }

    @Test
    void aListenerThatThrowsEndsTheSession() {
        FakeSession session = FakeSession.plusOne(100, 10);
        IllegalStateException enough = new IllegalStateException("enough");
        CompletionListener listener = (prompt, completion) -> {
            throw enough;
        };
        assertThatThrownBy(() -> over(() -> session)
                        .complete(
                                List.of(TokenSequence.of(2), TokenSequence.of(7)),
                                Sampling.greedy(50, Set.of(8)),
                                1,
                                listener))
                .isSameAs(enough);
        assertThat(session.steps).isZero();
        assertThat(session.isClosed()).isTrue();
    }

    /** Lengths 6, 1, 2, 1, 5, 1, 1 in two places: 6 on one, the others one after another on the other. */
    @Test
    void aWaitingPromptEntersWhenASequenceLeaves() {
        FakeSession session = FakeSession.plusOne(100, 10);
        List<TokenSequence> prompts =
                IntStream.of(2, 7, 6, 7, 3, 7, 7).mapToObj(TokenSequence::of).toList();
        List<Completion> completions =
                new Generator(TOKENIZER, () -> session, 2).complete(prompts, Sampling.greedy(50, Set.of(8)), 1);
        assertThat(completions).extracting(c -> c.response().length()).containsExactly(6, 1, 2, 1, 5, 1, 1);
        assertThat(completions).extracting(Completion::prompt).containsExactlyElementsOf(prompts);
        assertThat(session.mostOpen).isEqualTo(2);
        assertThat(session.open).isZero();
        assertThat(session.steps).as("steps with one or two sequences").isEqualTo(5);
    }

    @Test
    void theContextEndsAResponse() {
        List<Completion> completions = over(() -> FakeSession.plusOne(5, 10))
                .complete(List.of(TokenSequence.of(1, 2, 3, 4), TokenSequence.of(1)), Sampling.greedy(50, Set.of()), 1);
        assertThat(completions)
                .extracting(Completion::response)
                .containsExactly(TokenSequence.of(5), TokenSequence.of(2, 3, 4, 5));
        assertThat(completions).extracting(Completion::stopReason).containsOnly(StopReason.LENGTH);
    }

    /** The model's next distribution depends on the whole sequence, so any mix-up of rows or keys would show. */
    private static DecodingSession hashing() {
        return new FakeSession(64, tokens -> {
            RandomKey key = RandomKey.of(Arrays.hashCode(tokens));
            float[] logits = new float[12];
            for (int v = 0; v < logits.length; v++) {
                logits[v] = (float) (2 * key.child(v).gaussian());
            }
            return logits;
        });
    }

    @Property(tries = 60)
    void subBatchesDoNotChangeTheResult(
            @ForAll @IntRange(min = 1, max = 12) int maxBatch,
            @ForAll @IntRange(min = 1, max = 12) int prompts,
            @ForAll long seed) {
        List<TokenSequence> texts = new ArrayList<>();
        for (int i = 0; i < prompts; i++) {
            texts.add(TokenSequence.of(i % 5, 3));
        }
        Sampling sampling =
                Sampling.exact(10, 1.0, Set.of(11, 10)).withTopP(0.95).withRepetitionPenalty(1.2);
        List<Completion> whole = new Generator(TOKENIZER, GeneratorTest::hashing).complete(texts, sampling, seed);
        List<Completion> parts =
                new Generator(TOKENIZER, GeneratorTest::hashing, maxBatch).complete(texts, sampling, seed);
        for (int i = 0; i < prompts; i++) {
            assertThat(parts.get(i).response()).isEqualTo(whole.get(i).response());
            assertThat(parts.get(i).logProbs()).isEqualTo(whole.get(i).logProbs());
        }
    }

    @Test
    void greedyDecodingDoesNotDependOnSeedOrNeighbours() {
        TokenSequence prompt = TokenSequence.of(3, 1);
        Sampling greedy = Sampling.greedy(8, Set.of());
        TokenSequence alone = over(GeneratorTest::hashing)
                .complete(List.of(prompt), greedy, 1)
                .get(0)
                .response();
        TokenSequence among = over(GeneratorTest::hashing)
                .complete(List.of(TokenSequence.of(0), TokenSequence.of(9, 9, 9), prompt), greedy, 99)
                .get(2)
                .response();
        assertThat(among).isEqualTo(alone);
    }

    @Test
    void samplesOfOnePromptDiffer() {
        List<TokenSequence> same = Collections.nCopies(8, TokenSequence.of(3));
        List<Completion> completions =
                over(GeneratorTest::hashing).complete(same, Sampling.exact(10, 1.0, Set.of()), 4);
        assertThat(completions.stream().map(Completion::response).distinct()).hasSizeGreaterThan(6);
    }

    @Test
    void logProbsAreThoseOfTheTokensDrawn() {
        double total = 2 + Math.E;
        Completion completion = over(() -> FakeSession.constant(100, 0, 1, 0))
                .complete(List.of(TokenSequence.of(0)), Sampling.exact(50, 1.0, Set.of()), 2)
                .get(0);
        for (int t = 0; t < 50; t++) {
            double expected = Math.log((completion.response().get(t) == 1 ? Math.E : 1) / total);
            assertThat(completion.logProbs()[t]).isCloseTo(expected, within(3e-7));
        }
    }

    @Test
    void aStopStringEndsTheResponseAlsoAcrossTokens() {
        int hello = TOKENIZER.piece("Hello");
        int us = TOKENIZER.piece("\nUs");
        int er = TOKENIZER.piece("er:");
        Recorder recorder = new Recorder();
        Completion completion = over(() -> FakeSession.script(100, TOKENIZER.vocabularySize(), hello, us, er))
                .complete(
                        List.of(TokenSequence.of(0)),
                        Sampling.greedy(50, Set.of()).withStopStrings("\nUser:"),
                        1,
                        recorder)
                .get(0);
        assertThat(completion.response()).isEqualTo(TokenSequence.of(hello, us, er));
        assertThat(completion.stopReason()).isEqualTo(StopReason.STOP_STRING);
        assertThat(recorder.texts).containsExactly("Hello", "", "");
        assertThat(recorder.ended).extracting(Completion::response).containsExactly(completion.response());
    }

    @Test
    void textThatOnlyLookedLikeAStopStringIsHandedOutLate() {
        int hello = TOKENIZER.piece("Hello");
        int us = TOKENIZER.piece("\nUs");
        int bye = TOKENIZER.piece(" Bye");
        Recorder recorder = new Recorder();
        over(() -> FakeSession.script(100, TOKENIZER.vocabularySize(), hello, us, bye, us))
                .complete(
                        List.of(TokenSequence.of(0)),
                        Sampling.greedy(4, Set.of()).withStopStrings("\nUser:", "never"),
                        1,
                        recorder);
        assertThat(recorder.texts).containsExactly("Hello", "", "\nUs Bye", "\nUs");
    }

    @Test
    void theStreamNeverHoldsHalfACharacter() {
        byte[] smile = "é😀!".getBytes(StandardCharsets.UTF_8);
        int[] script = new int[smile.length];
        Arrays.setAll(script, i -> smile[i] & 0xff);
        Recorder recorder = new Recorder();
        over(() -> FakeSession.script(100, TOKENIZER.vocabularySize(), script))
                .complete(List.of(TokenSequence.of(0)), Sampling.greedy(script.length, Set.of()), 1, recorder);
        assertThat(recorder.texts).containsExactly("", "é", "", "", "", "😀", "!");
    }

    @Property(tries = 100)
    void theStreamPutTogetherIsTheDecodedResponse(@ForAll long seed, @ForAll @IntRange(min = 1, max = 30) int tokens) {
        Recorder recorder = new Recorder();
        Supplier<DecodingSession> anyText = () -> FakeSession.constant(100, new float[TOKENIZER.vocabularySize()]);
        Completion completion = over(anyText)
                .complete(
                        List.of(TokenSequence.of(0)),
                        Sampling.exact(tokens, 1.0, Set.of(TOKENIZER.end())).withStopStrings("zzzz", "Hexe"),
                        seed,
                        recorder)
                .get(0);
        assertThat(String.join("", recorder.texts)).isEqualTo(TOKENIZER.decode(completion.response()));
        assertThat(recorder.tokens)
                .containsExactly(completion.response().stream().boxed().toArray(Integer[]::new));
    }

    /** However a text is cut into tokens, the stream ends right before the first occurrence of the stop string. */
    @Property(tries = 200)
    void theStreamEndsBeforeTheStopStringHoweverTheTextIsCut(@ForAll long seed) {
        PieceTokenizer tokenizer = new PieceTokenizer("a", "b", "ab", "aab", "ba", "abaa");
        RandomKey key = RandomKey.of(seed);
        int[] script = new int[30];
        Arrays.setAll(script, i -> 256 + key.child(i).below(6));
        String text = tokenizer.decode(TokenSequence.of(script));
        String stop = "aabab";
        Recorder recorder = new Recorder();
        Completion completion = new Generator(
                        tokenizer, () -> FakeSession.script(100, tokenizer.vocabularySize(), script))
                .complete(
                        List.of(TokenSequence.of(0)),
                        Sampling.greedy(30, Set.of()).withStopStrings(stop),
                        1,
                        recorder)
                .get(0);
        int at = text.indexOf(stop);
        assertThat(String.join("", recorder.texts)).isEqualTo(at < 0 ? text : text.substring(0, at));
        assertThat(completion.stopReason()).isEqualTo(at < 0 ? StopReason.LENGTH : StopReason.STOP_STRING);
        TokenSequence allButLast =
                completion.response().slice(0, completion.response().length() - 1);
        assertThat(tokenizer.decode(allButLast)).as("not a token too many").doesNotContain(stop);
    }

    /** DESIGN §3: several threads may run inference on one model at once. */
    @Test
    void threadsShareAGenerator() {
        Generator generator = over(GeneratorTest::hashing);
        List<TokenSequence> prompts = List.of(TokenSequence.of(1), TokenSequence.of(2, 3));
        Sampling sampling = Sampling.exact(20, 1.0, Set.of(11)).withTopK(5);
        List<TokenSequence> alone = responses(generator.complete(prompts, sampling, 8));
        List<List<TokenSequence>> together = IntStream.range(0, 16)
                .parallel()
                .mapToObj(i -> responses(generator.complete(prompts, sampling, 8)))
                .toList();
        assertThat(together).containsOnly(alone);
    }

    private static List<TokenSequence> responses(List<Completion> completions) {
        return completions.stream().map(Completion::response).toList();
    }

    @Test
    void rowsOfALargeVocabularyAreDrawnInParallelWithTheSameErrors() {
        float[] flat = new float[50_000];
        float[] broken = flat.clone();
        broken[49_999] = Float.NaN;
        Supplier<DecodingSession> sessions = () -> new FakeSession(9, tokens -> tokens[0] == 2 ? broken : flat);
        Sampling sampling = Sampling.exact(3, 1.0, Set.of());
        List<TokenSequence> fine = List.of(TokenSequence.of(0), TokenSequence.of(1), TokenSequence.of(3));
        assertThat(responses(new Generator(TOKENIZER, sessions, 1).complete(fine, sampling, 5)))
                .isEqualTo(responses(new Generator(TOKENIZER, sessions, 3).complete(fine, sampling, 5)));
        List<TokenSequence> bad = List.of(TokenSequence.of(0), TokenSequence.of(1), TokenSequence.of(2));
        assertThatThrownBy(() -> new Generator(TOKENIZER, sessions).complete(bad, sampling, 5))
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("completing prompt 2: the logit of token 49999");
    }

    @Test
    void aPromptAsLongAsTheWindowIsRefusedBeforeAnythingIsGenerated() {
        FakeSession session = FakeSession.plusOne(4, 10);
        assertThatThrownBy(() -> over(() -> session)
                        .complete(
                                List.of(TokenSequence.of(1), TokenSequence.of(1, 2, 3, 4)),
                                Sampling.greedy(5, Set.of()),
                                1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("prompt 1 has 4 tokens")
                .hasMessageContaining("window is 4")
                .hasMessageContaining("shorten the prompt to at most 3 tokens");
        assertThat(session.advances).isZero();
        assertThat(session.isClosed()).isTrue();
    }

    @Test
    void anEmptyPromptAndNoPromptAreRefused() {
        Generator generator = over(() -> FakeSession.plusOne(4, 10));
        assertThatThrownBy(() -> generator.complete(List.of(TokenSequence.empty()), Sampling.greedy(5, Set.of()), 1))
                .hasMessageContaining("prompt 0 is empty")
                .hasMessageContaining("start token");
        assertThatThrownBy(() -> generator.complete(List.of(), Sampling.greedy(5, Set.of()), 1))
                .hasMessageContaining("no prompt");
        assertThatThrownBy(() -> new Generator(TOKENIZER, () -> FakeSession.plusOne(4, 10), 0))
                .hasMessageContaining("maxBatch must be at least 1, got 0");
    }

    @Test
    void aBrokenLogitNamesThePrompt() {
        Supplier<DecodingSession> broken = () ->
                new FakeSession(50, tokens -> new float[] {0, tokens[0] == 2 && tokens.length > 3 ? Float.NaN : 0});
        assertThatThrownBy(() -> new Generator(TOKENIZER, broken, 2)
                        .complete(
                                List.of(TokenSequence.of(0), TokenSequence.of(1), TokenSequence.of(2)),
                                Sampling.exact(9, 1.0, Set.of()),
                                1))
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("completing prompt 2: the logit of token 1");
    }

    private static final class Recorder implements TokenListener {
        final List<String> texts = new ArrayList<>();
        final List<Integer> tokens = new ArrayList<>();
        final List<Completion> ended = new ArrayList<>();

        @Override
        public void onToken(int sequence, int token, String newText) {
            tokens.add(token);
            texts.add(newText);
        }

        @Override
        public void onEnd(int sequence, Completion completion) {
            ended.add(completion);
        }
    }
}
