package io.github.rlhf4j.transformer.tokenizer;

/**
 * What a training of {@link BytePairTrainer} made, and of what.
 *
 * @param tokenizer the tokenizer
 * @param documents number of texts read
 * @param characters number of UTF-16 units read
 * @param distinctPieces number of different pieces (words with their space, marks, …) in them
 * @param requestedVocabularySize number of tokens asked for; the tokenizer has fewer when the corpus ran out of pairs
 */
public record TokenizerTraining(
        BytePairTokenizer tokenizer, long documents, long characters, int distinctPieces, int requestedVocabularySize) {

    /** Whether the vocabulary is as large as was asked for. */
    public boolean reachedRequestedSize() {
        return tokenizer.vocabularySize() == requestedVocabularySize;
    }
}
