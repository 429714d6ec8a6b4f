package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.data.Splits.Parts;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.ToLongFunction;

/** Whether the text to pretrain on, and that held out, have the tokens of one window each. */
final class CorpusLength {

    private final RecipeConfig config;
    private final ToLongFunction<String> tokens;
    private final String bound;

    private CorpusLength(RecipeConfig config, ToLongFunction<String> tokens, String bound) {
        this.config = config;
        this.tokens = tokens;
        this.bound = bound;
    }

    /** Before there is a tokenizer: ours are of bytes, so that no text has more tokens than bytes. */
    static CorpusLength inBytes(RecipeConfig config) {
        return new CorpusLength(config, text -> text.getBytes(StandardCharsets.UTF_8).length, "at most ");
    }

    static CorpusLength inTokens(RecipeConfig config, Tokenizer tokenizer) {
        return new CorpusLength(config, text -> tokenizer.encode(text).length(), "");
    }

    /** @throws InputException naming the file, the tokens found, the window and the remedies */
    void check(Parts<String> documents) {
        String all = config.pretraining().documents() == 0
                ? ""
                : "use more of it (--set pretraining.documents=…, 0 is all), ";
        require("to train on", LanguageStages.trainingDocuments(config, documents), all);
        require(
                "held out",
                LanguageStages.heldOutDocuments(documents),
                "hold out a larger share (--set heldOutShare=…), ");
    }

    /** Reads no more documents than it takes. */
    private void require(String part, List<String> documents, String remedy) {
        int context = config.model().context();
        long found = 1; // an end of text stands before each document and after the last
        for (String document : documents) {
            if (!document.isEmpty()) {
                found += tokens.applyAsLong(document) + 1;
            }
            if (found >= context) {
                return;
            }
        }
        String file = config.data().text();
        throw new InputException((file == null ? "WordNet's text" : file) + ": the part " + part + " comes to " + bound
                + found + " tokens, ends of documents included, fewer than one window (model.context = " + context
                + "). Give more text, " + remedy + "or train a model with a shorter window (--set model.context=…), in"
                + " another run");
    }
}
