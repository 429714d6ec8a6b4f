package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValuePass;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Models that say what a script says and learn nothing, so that a trainer's step is arithmetic on known numbers. Prompt i is
 * the one token i, and its text is the number i; what is no prompt's is text for pretraining, of which each token has
 * log-probability −1.
 */
final class ScriptedRollout {

    static final int STOP = 99;

    private static final int ORDINARY = 98;

    /** One row per response; nats, reward units. */
    record Script(
            boolean[] stopped,
            double[] scores,
            double[][] logProbs,
            double[][] referenceLogProbs,
            double[][] newLogProbs,
            double[][] values,
            double[][] newValues) {

        int size() {
            return scores.length;
        }
    }

    private final Script script;

    /** What the trainer passed back, by prompt; empty before. */
    final double[][] policyGradients;

    final double[][] valueGradients;

    ScriptedRollout(Script script) {
        this.script = script;
        this.policyGradients = new double[script.size()][0];
        this.valueGradients = new double[script.size()][0];
    }

    /** A trainer of these models, which samples each prompt once; with some text for PPO-ptx. */
    PpoTrainer trainer(PpoConfig config) {
        return PpoTrainer.builder()
                .config(config)
                .policy(new ScriptedPolicy(script.newLogProbs))
                .reference(new ScriptedPolicy(script.referenceLogProbs))
                .critic(Critic.separate(new ScriptedValues()))
                .rewardModel(rewardModel())
                .prompts(IntStream.range(0, script.size())
                        .mapToObj(i -> new Prompt(Conversation.of(String.valueOf(i)), TokenSequence.of(i)))
                        .toList())
                .pretraining(List.of(ScoredSequence.ofText(TokenSequence.of(ORDINARY, ORDINARY, ORDINARY))))
                .build();
    }

    private RewardModel rewardModel() {
        return batch -> batch.stream()
                .mapToDouble(exchange -> script.scores[Integer.parseInt(exchange.prompt())])
                .toArray();
    }

    private double[][] rows(SequenceBatch batch, double[][] said) {
        return batch.sequences().stream()
                .map(sequence -> isResponse(sequence) ? said[prompt(sequence)] : minusOnes(sequence))
                .map(double[]::clone)
                .toArray(double[][]::new);
    }

    private static double[] minusOnes(ScoredSequence sequence) {
        double[] row = new double[sequence.scoredCount()];
        Arrays.fill(row, -1);
        return row;
    }

    private void remember(SequenceBatch batch, double[][] passed, double[][] memory) {
        for (int i = 0; i < passed.length; i++) {
            if (isResponse(batch.sequences().get(i))) {
                memory[prompt(batch.sequences().get(i))] = passed[i].clone();
            }
        }
    }

    private static int prompt(ScoredSequence sequence) {
        return sequence.tokens().get(0);
    }

    private static boolean isResponse(ScoredSequence sequence) {
        return prompt(sequence) < ORDINARY;
    }

    /** Scores as said; draws what the script has drawn. */
    private final class ScriptedPolicy implements TrainablePolicy {

        private final double[][] said;

        ScriptedPolicy(double[][] said) {
            this.said = said;
        }

        @Override
        public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
            return prompts.stream().map(this::complete).toList();
        }

        private Completion complete(TokenSequence prompt) {
            int i = prompt.get(0);
            int[] tokens = new int[script.logProbs[i].length];
            Arrays.fill(tokens, ORDINARY);
            tokens[tokens.length - 1] = script.stopped[i] ? STOP : ORDINARY;
            return new Completion(
                    prompt,
                    TokenSequence.of(tokens),
                    script.logProbs[i],
                    script.stopped[i] ? Completion.StopReason.STOP_TOKEN : Completion.StopReason.LENGTH);
        }

        @Override
        public TokenScores score(SequenceBatch batch) {
            double[][] logProbs = rows(batch, said);
            return new TokenScores(logProbs, logProbs); // entropies of no matter
        }

        @Override
        public ForwardPass forward(SequenceBatch batch) {
            return new ForwardPass() {
                @Override
                public TokenScores scores() {
                    return score(batch);
                }

                @Override
                public void backward(TokenGradients gradients) {
                    if (gradients.dEntropies() != null) {
                        throw new UnsupportedOperationException("these entropies are made up");
                    }
                    remember(batch, gradients.dLogProbs(), policyGradients);
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public UpdateReport update(double learningRate) {
            return new UpdateReport(1, false);
        }

        @Override
        public Tokenizer tokenizer() {
            return new Numbers();
        }

        @Override
        public int contextLength() {
            return 64;
        }

        @Override
        public void saveState(Path directory) {}

        @Override
        public void restoreState(Path directory) {}
    }

    /** Before the update the old values, in it the new ones. */
    private final class ScriptedValues implements TrainableValueFunction {

        @Override
        public double[][] values(SequenceBatch batch) {
            return rows(batch, script.values);
        }

        @Override
        public ValuePass forward(SequenceBatch batch) {
            return new ValuePass() {
                @Override
                public double[][] values() {
                    return rows(batch, script.newValues);
                }

                @Override
                public void backward(double[][] dValues) {
                    remember(batch, dValues, valueGradients);
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public UpdateReport update(double learningRate) {
            return new UpdateReport(1, false);
        }

        @Override
        public void saveState(Path directory) {}

        @Override
        public void restoreState(Path directory) {}
    }

    /** A token is spelled as its number. */
    private static final class Numbers implements Tokenizer {

        @Override
        public String decode(TokenSequence tokens) {
            return tokens.toString();
        }

        @Override
        public TokenSequence encode(String text) {
            throw new UnsupportedOperationException("nothing is encoded here");
        }

        @Override
        public int vocabularySize() {
            return STOP + 1;
        }

        @Override
        public Map<String, Integer> specialTokens() {
            return Map.of();
        }

        @Override
        public StreamingDecoder streamingDecoder() {
            throw new UnsupportedOperationException("nothing is streamed here");
        }
    }
}
