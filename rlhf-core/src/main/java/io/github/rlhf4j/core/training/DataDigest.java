package io.github.rlhf4j.core.training;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * SHA-256 of training data, in hexadecimal: what a trainer writes into its {@link TrainerState}, so that a run is not resumed
 * on other data. Order counts, for the order of the data is part of a run.
 */
public final class DataDigest {

    private final Hasher hasher = Hashing.sha256().newHasher();

    private DataDigest() {}

    /** Of sequences and their scored positions. */
    public static String ofSequences(Iterable<ScoredSequence> sequences) {
        DataDigest digest = new DataDigest();
        for (ScoredSequence sequence : sequences) {
            digest.put(sequence.tokens());
            digest.hasher.putInt(sequence.scoredCount());
            Arrays.stream(sequence.positions()).forEach(digest.hasher::putInt);
        }
        return digest.hex();
    }

    /** Of prompts: their tokens, and the conversations that a reward model sees. */
    public static String ofPrompts(Iterable<Prompt> prompts) {
        DataDigest digest = new DataDigest();
        for (Prompt prompt : prompts) {
            digest.put(prompt.conversation());
            digest.put(prompt.tokens());
        }
        return digest.hex();
    }

    /** Of rankings: conversations, responses and ranks. */
    public static String ofRankings(Iterable<Ranking> rankings) {
        DataDigest digest = new DataDigest();
        for (Ranking ranking : rankings) {
            digest.put(ranking.conversation());
            digest.hasher.putInt(ranking.size());
            ranking.responses().forEach(digest::put);
            ranking.ranks().forEach(digest.hasher::putInt);
        }
        return digest.hex();
    }

    private void put(Conversation conversation) {
        hasher.putInt(conversation.messages().size());
        for (Message message : conversation.messages()) {
            put(message.role().name());
            put(message.content());
        }
    }

    private void put(TokenSequence tokens) {
        hasher.putInt(tokens.length());
        tokens.stream().forEach(hasher::putInt);
    }

    /** With its length before it, so that no two lists of texts run together alike. */
    private void put(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        hasher.putInt(bytes.length);
        hasher.putBytes(bytes);
    }

    private String hex() {
        return hasher.hash().toString();
    }
}
