package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.training.PackedDocuments;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What can be said of sampled texts without asking anybody's taste. */
final class OutputStatistics {

    private OutputStatistics() {}

    /** Mean over sequences of Σ_t K1_t = Σ_t log π(y_t) − log π_ref(y_t), nats; an estimate of KL(π‖π_ref). */
    static double klPerSequence(Policy policy, Policy reference, List<Completion> completions, double temperature) {
        SequenceBatch batch = SequenceBatch.ofCompletions(completions, temperature);
        TokenScores own = policy.score(batch);
        TokenScores frozen = reference.score(batch);
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            sum += own.sequenceLogProb(i) - frozen.sequenceLogProb(i);
        }
        return sum / batch.size();
    }

    /** exp of the mean nats per token of the answers, each as the dictionary's line that it would be: word and text. */
    static double perplexity(Policy model, List<Exchange> exchanges) {
        List<ScoredSequence> sequences = exchanges.stream()
                .map(exchange -> document(model, exchange))
                .filter(sequence -> sequence.scoredCount() > 0)
                .toList();
        if (sequences.isEmpty()) {
            return Double.NaN;
        }
        SequenceBatch batch = new SequenceBatch(sequences);
        TokenScores scores = model.score(batch);
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            sum += scores.sequenceLogProb(i);
        }
        return Math.exp(-sum / batch.scoredCount());
    }

    private static ScoredSequence document(Policy model, Exchange exchange) {
        Tokenizer tokenizer = model.tokenizer();
        TokenSequence before =
                TokenSequence.of(PackedDocuments.separator(tokenizer).stream().toArray());
        TokenSequence context = before.concat(tokenizer.encode(heading(exchange.prompt())));
        TokenSequence text = tokenizer.encode(exchange.response());
        int room = Math.max(0, model.contextLength() - context.length());
        return ScoredSequence.of(context, text.slice(0, Math.min(room, text.length())));
    }

    private static String heading(String prompt) {
        try {
            return DictionaryEntry.runningHead(WordQuestions.askedWord(prompt));
        } catch (IllegalArgumentException e) {
            return prompt;
        }
    }

    /**
     * Share of different n-grams of words among all of the first answers to each prompt, in [0, 1] (distinct-n of Li et al.
     * 2016). One answer a prompt, as the share falls with the amount of text and with answers to the same.
     */
    static double distinct(Answers answers, int n) {
        Set<List<String>> different = new HashSet<>();
        int all = 0;
        for (int prompt = 0; prompt < answers.prompts(); prompt++) {
            List<String> words = List.of(answers.texts(prompt).get(0).strip().split("\\s+"));
            for (int j = 0; j + n <= words.size(); j++) {
                different.add(words.subList(j, j + n));
                all++;
            }
        }
        return all == 0 ? Double.NaN : (double) different.size() / all;
    }
}
