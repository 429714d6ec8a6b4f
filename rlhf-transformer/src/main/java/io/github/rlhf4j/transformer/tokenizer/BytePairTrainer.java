package io.github.rlhf4j.transformer.tokenizer;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns a {@link BytePairTokenizer} from texts: again and again the most frequent pair of neighbouring tokens becomes a
 * token, until the vocabulary has the size asked for.
 *
 * <p>Pairs never reach across pieces, let alone documents. Of pairs that are equally frequent, the one whose left token is
 * the greater string of bytes merges first, then the one whose right token is. The result depends on nothing but the texts
 * and the settings. Ids: the 256 bytes in GPT-2's order, then the merges in order, then the special tokens.
 *
 * <p>An immutable description of a training; each {@code with…} returns an altered copy.
 *
 * @param vocabularySize number of tokens to reach, the 256 bytes and the special tokens included
 * @param specialTokens names of special tokens, in the order of their ids; they are never looked for in the texts
 * @param pretokenizer how text is cut into pieces
 * @see <a href="https://arxiv.org/abs/1508.07909">Sennrich et al. 2016, §3.2</a>
 */
public record BytePairTrainer(int vocabularySize, List<String> specialTokens, Pretokenizer pretokenizer) {

    private static final Logger LOG = LoggerFactory.getLogger(BytePairTrainer.class);

    /** Checks the settings; {@code vocabularySize} must be at least 256 + the number of special tokens. */
    public BytePairTrainer {
        specialTokens = List.copyOf(specialTokens);
        int least = 256 + SpecialTokens.number(specialTokens, 0).size();
        if (vocabularySize < least) {
            throw new IllegalArgumentException("vocabulary size " + vocabularySize + " is too small: 256 bytes and "
                    + specialTokens.size() + " special tokens already make " + least + ". Ask for " + least
                    + " or more.");
        }
    }

    /** A training towards {@code vocabularySize} tokens with GPT-2's split and no special tokens. */
    public BytePairTrainer(int vocabularySize) {
        this(vocabularySize, List.of(), Pretokenizer.gpt2());
    }

    /** The same training with these special tokens. */
    public BytePairTrainer withSpecialTokens(String... names) {
        return new BytePairTrainer(vocabularySize, List.of(names), pretokenizer);
    }

    /** The same training with this split. */
    public BytePairTrainer withPretokenizer(Pretokenizer other) {
        return new BytePairTrainer(vocabularySize, specialTokens, other);
    }

    /**
     * Trains on documents, read once. A corpus too small for the vocabulary size yields the smaller vocabulary, with a
     * warning in the log and in the result.
     *
     * @throws IllegalArgumentException when there is no text at all
     */
    public TokenizerTraining train(Iterable<String> documents) {
        Corpus corpus = new Corpus();
        documents.forEach(corpus::add);
        return train(corpus);
    }

    /** Trains on a stream of documents, which is consumed but not closed; otherwise as {@link #train(Iterable)}. */
    public TokenizerTraining train(Stream<String> documents) {
        Corpus corpus = new Corpus();
        documents.sequential().forEach(corpus::add);
        return train(corpus);
    }

    private TokenizerTraining train(Corpus corpus) {
        if (corpus.pieces.isEmpty()) {
            throw new IllegalArgumentException("cannot train a tokenizer: the corpus has " + corpus.documents
                    + " documents and no text in them. Give it at least one document that is not empty.");
        }
        PairMerger merger = new PairMerger(corpus.pieces);
        merger.mergeUntil(vocabularySize - specialTokens.size());
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (byte[] token : merger.tokens()) {
            vocabulary.put(ByteAlphabet.spell(token), vocabulary.size());
        }
        BytePairTokenizer tokenizer = BytePairTokenizer.of(
                vocabulary, merger.merges(), SpecialTokens.number(specialTokens, vocabulary.size()), pretokenizer);
        TokenizerTraining training = new TokenizerTraining(
                tokenizer, corpus.documents, corpus.characters, corpus.pieces.size(), vocabularySize);
        warnIfSmall(training);
        return training;
    }

    private static void warnIfSmall(TokenizerTraining training) {
        if (!training.reachedRequestedSize()) {
            LOG.warn(
                    "The tokenizer has {} tokens, not the {} asked for: after {} merges no pair is left in the {} characters"
                            + " of the corpus. Give it more text, or ask for a smaller vocabulary.",
                    training.tokenizer().vocabularySize(),
                    training.requestedVocabularySize(),
                    training.tokenizer().merges().size(),
                    training.characters());
        }
    }

    /** Counts the pieces of the documents. */
    private final class Corpus {
        private final Map<String, long[]> pieces = new HashMap<>();
        private long documents;
        private long characters;

        void add(String document) {
            documents++;
            characters += document.length();
            pretokenizer.forEachPiece(document, piece -> pieces.computeIfAbsent(piece, p -> new long[1])[0]++);
        }
    }
}
