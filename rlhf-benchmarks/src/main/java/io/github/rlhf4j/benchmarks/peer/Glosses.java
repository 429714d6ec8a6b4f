package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.cli.wordnet.DictionaryEntry;
import io.github.rlhf4j.cli.wordnet.WordNet;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.transformer.tokenizer.BytePairTokenizer;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import io.github.rlhf4j.transformer.training.PackedDocuments;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Real English for the benchmark: WordNet's explanations of 117,791 meanings, and questions that they answer. */
final class Glosses {

    /** Tokens of the vocabulary, the special ones included. */
    static final int VOCABULARY = 4096;

    /** Fills up a batch of the peer's; of no use to us. */
    static final String PADDING = "<|pad|>";

    private static final long SEED = 1;

    private Glosses() {}

    static List<String> texts() {
        return WordNet.load().stream().map(DictionaryEntry::gloss).toList();
    }

    /**
     * Writes the text of a job, one explanation a line.
     *
     * @return its size in bytes of UTF-8
     */
    static long writeText(Path directory) throws IOException {
        byte[] text = String.join("\n", texts()).getBytes(StandardCharsets.UTF_8);
        Files.write(directory.resolve(Job.TEXT), text);
        return text.length;
    }

    /** Questions with their answers, of all lengths, spread over the dictionary. */
    static List<Demonstration> demonstrations(int count) {
        List<Demonstration> all = new WordQuestions(SEED).demonstrations(WordNet.load());
        List<Demonstration> spread = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            spread.add(all.get((int) ((long) i * all.size() / count)));
        }
        return spread;
    }

    /** Questions with the dictionary's answer, preferred to its answer to another question. */
    static PreferenceDataset preferences(int count) {
        List<Demonstration> questions = demonstrations(2 * count);
        List<Ranking> pairs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Demonstration question = questions.get(2 * i);
            Demonstration other = questions.get(2 * i + 1);
            pairs.add(Ranking.ofPair(
                    Conversation.of(question.conversation().lastUserText()),
                    question.conversation().last().content(),
                    other.conversation().last().content()));
        }
        return PreferenceDataset.of(pairs);
    }

    /** A tokenizer that was trained on the text, with the special tokens of conversations. */
    static BytePairTokenizer tokenizer() {
        List<String> special = new ArrayList<>(RoleChatFormat.specialTokens());
        special.add(PackedDocuments.END_OF_TEXT);
        special.add(PADDING);
        return new BytePairTrainer(VOCABULARY)
                .withSpecialTokens(special.toArray(String[]::new))
                .train(texts())
                .tokenizer();
    }
}
