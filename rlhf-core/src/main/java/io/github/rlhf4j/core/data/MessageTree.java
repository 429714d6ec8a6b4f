package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Role;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * An Open Assistant message tree (Köpf et al. 2023): a prompt, replies to it, replies to those, with sibling assistant
 * replies ranked by people, 0 the best. Deleted messages are left out with what hangs on them.
 */
final class MessageTree {

    private final Row row;
    private final List<Ranking> rankings = new ArrayList<>();
    private final List<Demonstration> demonstrations = new ArrayList<>();

    private record Reply(Message message, JsonNode node, String field) {

        boolean isRanked() {
            return node.path("rank").isIntegralNumber();
        }

        int rank() {
            return isRanked() ? node.path("rank").intValue() : Integer.MAX_VALUE;
        }
    }

    private MessageTree(Row row) {
        this.row = row;
    }

    static boolean is(Row row) {
        return row.get("prompt").isObject() && row.get("prompt").path("replies").isArray();
    }

    static Conversation rootPrompt(Row row) throws DatasetException {
        return Conversation.of(row.text("prompt.text", row.get("prompt").path("text")));
    }

    /** One ranking for each prompt with at least two ranked replies, from the root down; possibly none. */
    static List<Ranking> rankings(Row row) throws DatasetException {
        return walk(row).rankings;
    }

    /**
     * One demonstration for each way down the tree that takes the best assistant reply at each turn (the first, where none is
     * ranked), and ends with it; possibly none.
     */
    static List<Demonstration> demonstrations(Row row) throws DatasetException {
        return walk(row).demonstrations;
    }

    private static MessageTree walk(Row row) throws DatasetException {
        MessageTree tree = new MessageTree(row);
        tree.prompter(rootPrompt(row), row.get("prompt"), "prompt", true);
        return tree;
    }

    /** @param best whether every assistant reply on the way here is its siblings' best */
    private void prompter(Conversation soFar, JsonNode node, String field, boolean best) throws DatasetException {
        List<Reply> replies = replies(node, field, Role.ASSISTANT);
        List<Reply> ranked = replies.stream().filter(Reply::isRanked).toList();
        if (ranked.size() >= 2) {
            rankings.add(ranking(soFar, ranked, field));
        }
        Reply first = replies.stream().min(Comparator.comparingInt(Reply::rank)).orElse(null);
        for (Reply reply : replies) {
            assistant(soFar.with(reply.message()), reply, best && reply == first);
        }
    }

    private void assistant(Conversation soFar, Reply reply, boolean best) throws DatasetException {
        List<Reply> answers = replies(reply.node(), reply.field(), Role.USER);
        int before = demonstrations.size();
        for (Reply answer : answers) {
            prompter(soFar.with(answer.message()), answer.node(), answer.field(), best);
        }
        if (best && demonstrations.size() == before) {
            demonstrations.add(new Demonstration(soFar)); // the way ends here, or at a user who got no reply
        }
    }

    private Ranking ranking(Conversation prompt, List<Reply> ranked, String field) throws DatasetException {
        Ranking ranking;
        try {
            ranking = new Ranking(
                    prompt,
                    ranked.stream().map(reply -> reply.message().content()).toList(),
                    ranked.stream().map(Reply::rank).toList());
        } catch (IllegalArgumentException e) {
            throw row.error(field + ".replies: " + e.getMessage() + "; correct the ranks, or remove the row", e);
        }
        if (ranking.pairCount() == 0) {
            throw row.error(field + ".replies", "all have the same rank, so none wins; correct the ranks");
        }
        return ranking;
    }

    private List<Reply> replies(JsonNode node, String field, Role role) throws DatasetException {
        List<Reply> replies = new ArrayList<>();
        JsonNode children = node.path("replies");
        for (int i = 0; i < children.size(); i++) {
            JsonNode child = children.get(i);
            String childField = field + ".replies[" + i + "]";
            if (!child.path("deleted").asBoolean(false)) {
                replies.add(new Reply(
                        new Message(role, row.text(childField + ".text", child.path("text"))), child, childField));
            }
        }
        return replies;
    }
}
