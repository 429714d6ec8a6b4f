package io.github.rlhf4j.reward.labeling;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.reward.RewardModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A labeler with a hidden taste, who makes mistakes: stands in for people where the truth must be known afterwards
 * (synthetic feedback of Christiano et al. 2017, gold reward of Gao et al. 2022).
 *
 * <p>The answer is a function of the seed, the conversation and the responses alone: the same question gets the same
 * answer, in whatever order questions and responses are put. A seed is a person.
 */
public final class SimulatedLabeler {

    /** What the labeler says of responses it likes equally. */
    public enum Ties {
        /** That they tie; the ranking gives them the same rank. */
        REPORTED,
        /** One of the strict orders, by a fair draw. */
        BROKEN_AT_RANDOM
    }

    private final RewardModel taste;
    private final LabelNoise noise;
    private final Ties ties;
    private final RandomKey key;

    /**
     * A labeler.
     *
     * @param taste how much the labeler likes an exchange; may be any reward model
     * @param noise its mistakes
     * @param ties what it does when it likes responses equally
     * @param seed which labeler it is
     */
    public SimulatedLabeler(RewardModel taste, LabelNoise noise, Ties ties, long seed) {
        this.taste = taste;
        this.noise = noise;
        this.ties = ties;
        this.key = RandomKey.of(seed).child("simulated labeler");
    }

    /** The labeler Christiano et al. 2017 (§2.2.3) allow for: one answer in ten is uniformly random; ties reported. */
    public static SimulatedLabeler christiano(ToDoubleFunction<Exchange> taste, long seed) {
        return new SimulatedLabeler(RewardModels.of(taste), new LabelNoise.UniformAnswer(0.1), Ties.REPORTED, seed);
    }

    /** Compares two responses: rank 0 is the preferred one; equal ranks where it has no preference. */
    public Ranking compare(Conversation conversation, String first, String second) {
        return rank(conversation, List.of(first, second));
    }

    /**
     * Ranks K ≥ 2 responses.
     *
     * @throws io.github.rlhf4j.core.DivergenceException when the taste is not a finite number, naming the exchange
     */
    public Ranking rank(Conversation conversation, List<String> responses) {
        return rankAll(List.of(conversation), List.of(responses)).get(0);
    }

    /**
     * Ranks the responses to each conversation; the taste is asked once, for all of them.
     *
     * @param responses one list of at least two per conversation
     */
    public PreferenceDataset rankAll(List<Conversation> conversations, List<List<String>> responses) {
        if (conversations.size() != responses.size()) {
            throw new IllegalArgumentException("a labeler needs responses to each conversation, got "
                    + conversations.size() + " conversations and " + responses.size() + " lists of responses");
        }
        List<Exchange> exchanges = new ArrayList<>();
        for (int i = 0; i < conversations.size(); i++) {
            for (String response : responses.get(i)) {
                exchanges.add(new Exchange(conversations.get(i), response));
            }
        }
        double[] utilities = exchanges.isEmpty() ? new double[0] : RewardModels.score(taste, exchanges);
        List<Ranking> rankings = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < conversations.size(); i++) {
            int to = from + responses.get(i).size();
            rankings.add(rank(conversations.get(i), responses.get(i), Arrays.copyOfRange(utilities, from, to)));
            from = to;
        }
        return PreferenceDataset.of(rankings);
    }

    private Ranking rank(Conversation conversation, List<String> responses, double[] utilities) {
        // Draws are made in the order of the texts, so that they do not depend on the order of presentation.
        int[] order = IntStream.range(0, responses.size())
                .boxed()
                .sorted(Comparator.comparing(responses::get))
                .mapToInt(Integer::intValue)
                .toArray();
        RandomKey question = questionKey(conversation, responses, order);
        double[] sorted = Arrays.stream(order).mapToDouble(i -> utilities[i]).toArray();
        int[] sortedRanks = LabelNoise.ranks(noise.answer(sorted, question.child("answer")));
        if (ties == Ties.BROKEN_AT_RANDOM) {
            sortedRanks = breakTies(sortedRanks, question.child("ties"));
        }
        Integer[] ranks = new Integer[order.length];
        for (int i = 0; i < order.length; i++) {
            ranks[order[i]] = sortedRanks[i];
        }
        return new Ranking(conversation, responses, List.of(ranks));
    }

    private static int[] breakTies(int[] ranks, RandomKey key) {
        int[] draw = key.permutation(ranks.length);
        double[] strict = IntStream.range(0, ranks.length)
                .mapToDouble(i -> -(ranks[i] + (double) draw[i] / ranks.length))
                .toArray();
        return LabelNoise.ranks(strict);
    }

    private RandomKey questionKey(Conversation conversation, List<String> responses, int[] order) {
        RandomKey question = key;
        for (Message message : conversation.messages()) {
            question = question.child(message.role().label()).child(message.content());
        }
        question = question.child("responses");
        for (int i : order) {
            question = question.child(responses.get(i));
        }
        return question;
    }
}
