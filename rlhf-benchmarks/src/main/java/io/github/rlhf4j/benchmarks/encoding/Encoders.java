package io.github.rlhf4j.benchmarks.encoding;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import io.github.rlhf4j.transformer.tokenizer.BytePairTokenizer;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * The sides, each a function from a text to its number of tokens; all with one vocabulary.
 *
 * @param ours this library
 * @param djl Hugging Face's tokenizers through {@code ai.djl.huggingface:tokenizers}, on the {@code tokenizer.json} we write
 * @param jtokkit with its own copy of the vocabulary
 */
record Encoders(ToLongFunction<String> ours, ToLongFunction<String> djl, ToLongFunction<String> jtokkit) {

    static Encoders of(Vocabularies vocabulary, Path scratch) throws IOException {
        System.setProperty("DJL_CACHE_DIR", scratch.toString());
        System.setProperty("ai.djl.offline", "true"); // the native library lies in DJL's jar
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("RUST_FLAVOR", "cpu");
        BytePairTokenizer ours = vocabulary.load(scratch);
        TokenizerFiles.save(ours, scratch);
        HuggingFaceTokenizer djl = HuggingFaceTokenizer.newInstance(
                scratch.resolve(TokenizerFiles.FILE_NAME), Map.of("truncation", "false", "padding", "false"));
        Encoding jtokkit = Encodings.newLazyEncodingRegistry()
                .getEncoding(vocabulary.label())
                .orElseThrow();
        return new Encoders(
                text -> ours.encode(text).length(),
                text -> djl.encode(text, false, false).getIds().length,
                text -> jtokkit.encodeOrdinary(text).size());
    }
}
