package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Role;
import io.github.rlhf4j.core.internal.Json;
import java.util.ArrayList;
import java.util.List;

/** What a row of a preference file says; see {@link PreferenceFiles} for the shapes. */
final class PreferenceRow {

    private static final List<String> SHAPES = List.of(
            "prompt/chosen/rejected (texts or messages)",
            "chosen/rejected (Anthropic transcripts \"\\n\\nHuman: …\\n\\nAssistant: …\", or messages)",
            "conversations/chosen/rejected",
            "instruction/input/chosen/rejected",
            "prompt/responses/ranks",
            "Open Assistant trees");

    private PreferenceRow() {}

    static List<Ranking> rankings(Row row) throws DatasetException {
        row.requireObject();
        if (MessageTree.is(row)) {
            return MessageTree.rankings(row);
        } else if (row.value().has("responses") || row.value().has("ranks")) {
            return List.of(ranked(row));
        } else if (row.value().has("chosen") || row.value().has("rejected")) {
            return List.of(pair(row));
        }
        throw row.noShape("preference", SHAPES);
    }

    private static Ranking pair(Row row) throws DatasetException {
        for (String side : List.of("chosen", "rejected")) {
            if (!row.has(side)) {
                throw row.error(side, "is missing, so the row has no winner and loser; fill it in, or remove the row");
            }
        }
        if (isConversation(row, "chosen") && isConversation(row, "rejected")) {
            return ofConversations(row);
        } else if (Conversations.hasPrompt(row)) {
            return decided(row, Conversations.prompt(row), response(row, "chosen"), response(row, "rejected"));
        } else if (row.get("chosen").isTextual() && row.get("rejected").isTextual()) {
            return ofTranscripts(row);
        }
        throw row.error(
                "prompt",
                "is missing, and \"chosen\" and \"rejected\" are not whole dialogues that begin with one;"
                        + " fill it in, or remove the row");
    }

    private static Ranking decided(Row row, Conversation prompt, String chosen, String rejected)
            throws DatasetException {
        if (chosen.equals(rejected)) {
            throw row.error("chosen", "equals \"rejected\", so the row has no winner; remove the row");
        }
        return Ranking.ofPair(prompt, chosen, rejected);
    }

    /** A text, one message, or a list of one message. */
    private static String response(Row row, String side) throws DatasetException {
        JsonNode node = row.get(side);
        if (node.isTextual()) {
            return node.textValue();
        }
        Message message = Conversations.message(row, side, node.isArray() && node.size() == 1 ? node.get(0) : node);
        return assistantText(row, side, message);
    }

    private static String assistantText(Row row, String side, Message message) throws DatasetException {
        if (message.role() != Role.ASSISTANT) {
            throw row.error(
                    side,
                    "must be (or end with) an assistant message, but that message's role is "
                            + message.role().label() + "; correct it, or remove the row");
        }
        return message.content();
    }

    // Two whole dialogues as lists of messages. A prompt beside them repeats their beginning and is not needed.

    private static boolean isConversation(Row row, String side) {
        return row.get(side).isArray() && row.get(side).size() > 1;
    }

    private static Ranking ofConversations(Row row) throws DatasetException {
        List<Message> chosen = Conversations.messages(row, "chosen", row.get("chosen"));
        List<Message> rejected = Conversations.messages(row, "rejected", row.get("rejected"));
        List<Message> prompt = chosen.subList(0, chosen.size() - 1);
        if (!prompt.equals(rejected.subList(0, rejected.size() - 1))) {
            throw row.error(
                    "rejected",
                    "must have the same messages as \"chosen\" but for the last; two responses can only"
                            + " be compared on one prompt. Correct it, or remove the row.");
        }
        if (prompt.get(prompt.size() - 1).role() != Role.USER) {
            throw row.error("chosen", "must have a user message before the last; correct it, or remove the row");
        }
        return decided(
                row,
                new Conversation(Conversations.withSystem(row, prompt)),
                assistantText(row, "chosen", chosen.get(chosen.size() - 1)),
                assistantText(row, "rejected", rejected.get(rejected.size() - 1)));
    }

    /**
     * Two transcripts. Nearly always they differ in the last turn only; where they part earlier, the responses are all that
     * follows (which is what people compared), later turns with their marks.
     */
    private static Ranking ofTranscripts(Row row) throws DatasetException {
        Transcript chosen = transcript(row, "chosen");
        Transcript rejected = transcript(row, "rejected");
        int shared = chosen.sharedPrompt(rejected);
        if (chosen.turns().equals(rejected.turns())) {
            throw row.error("chosen", "equals \"rejected\", so the row has no winner; remove the row");
        }
        if (shared == 0) {
            throw row.error(
                    "rejected",
                    "must begin with the same \"Human:\" turn as \"chosen\", followed by an"
                            + " \"Assistant:\" turn in each; correct it, or remove the row");
        }
        Conversation prompt = new Conversation(chosen.turns().subList(0, shared));
        return decided(row, prompt, chosen.from(shared), rejected.from(shared));
    }

    private static Transcript transcript(Row row, String side) throws DatasetException {
        Transcript transcript = Transcript.parse(row.text(side));
        if (transcript.turns().isEmpty()) {
            throw row.error(
                    side,
                    "must be a transcript that begins with \"\\n\\nHuman:\", as the row has no \"prompt\";"
                            + " add the prompt, or remove the row");
        }
        return transcript;
    }

    private static Ranking ranked(Row row) throws DatasetException {
        List<String> responses = new ArrayList<>();
        for (JsonNode response : array(row, "responses")) {
            responses.add(row.text("responses[" + responses.size() + "]", response));
        }
        List<Integer> ranks = new ArrayList<>();
        for (JsonNode rank : array(row, "ranks")) {
            if (!rank.isIntegralNumber() || !rank.canConvertToInt()) {
                throw row.error("ranks", "must hold integers, 0 the best, but has " + rank + "; correct it");
            }
            ranks.add(rank.intValue());
        }
        Conversation prompt = Conversations.prompt(row);
        Ranking ranking;
        try {
            ranking = new Ranking(prompt, responses, ranks);
        } catch (IllegalArgumentException e) {
            throw row.error(e.getMessage() + "; correct \"responses\" and \"ranks\", or remove the row", e);
        }
        if (ranking.pairCount() == 0) {
            throw row.error("ranks", "are all tied, so the row has no winner; remove the row");
        }
        return ranking;
    }

    private static JsonNode array(Row row, String field) throws DatasetException {
        JsonNode node = row.get(field);
        if (!node.isArray()) {
            throw row.error(field, "must be an array, but is " + Json.kind(node) + "; fill it in, or remove the row");
        }
        return node;
    }
}
