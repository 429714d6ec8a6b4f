package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.util.List;

/** A small byte-level BPE tokenizer with the special tokens of the templates under test. */
final class ChatTokenizers {

    static final List<String> SPECIAL = List.of(
            "<|im_start|>",
            "<|im_end|>",
            "<s>",
            "</s>",
            "<|begin_of_text|>",
            "<|eot_id|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<bos>",
            "<eos>",
            "<start_of_turn>",
            "<end_of_turn>",
            "<|user|>",
            "<|assistant|>",
            "<|system|>",
            "<|end|>");

    static final Tokenizer BPE = new BytePairTrainer(256 + 40 + SPECIAL.size())
            .withSpecialTokens(SPECIAL.toArray(String[]::new))
            .train(List.of(
                    "user assistant system user assistant Hello there. \n\n Hi there. \n", "Be brief. Fine, thanks."))
            .tokenizer();

    private ChatTokenizers() {}
}
