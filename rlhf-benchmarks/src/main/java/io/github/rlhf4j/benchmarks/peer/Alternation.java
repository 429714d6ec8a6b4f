package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The measurement itself: both sides get the same job, must agree on its check, warm up, and then run in turns, A B A B, so
 * that whatever disturbs the machine disturbs both.
 */
final class Alternation {

    private final Sides sides;
    private final Plan plan;

    Alternation(Sides sides, Plan plan) {
        this.sides = sides;
        this.plan = plan;
    }

    /**
     * Measures a job.
     *
     * @param variants of the peer, at least one
     * @param check what the sides must agree on
     * @return seconds per step
     * @throws CheckFailedException when they do not agree
     */
    Comparison measure(Job job, List<String> variants, Check check) throws IOException {
        List<Side> open = new ArrayList<>();
        try {
            Side ours = sides.ours(job);
            open.add(ours);
            for (String variant : variants) {
                Side peer = sides.peer(job.withVariant(variant));
                open.add(peer);
                check.require(ours.check(), peer.check());
            }
            List<Samples> measured = takeTurns(open);
            Map<String, Samples> peers = new LinkedHashMap<>();
            for (int i = 0; i < variants.size(); i++) {
                peers.put(variants.get(i), measured.get(i + 1));
            }
            return new Comparison(measured.get(0), peers);
        } finally {
            open.forEach(Side::close);
        }
    }

    private List<Samples> takeTurns(List<Side> all) throws IOException {
        double[][] seconds = new double[all.size()][plan.rounds()];
        for (int warmup = 0; warmup < plan.warmups(); warmup++) {
            for (Side side : all) {
                side.run(plan.steps());
            }
        }
        for (int round = 0; round < plan.rounds(); round++) {
            for (int i = 0; i < all.size(); i++) {
                seconds[i][round] = all.get(i).run(plan.steps()) / plan.steps();
            }
        }
        List<Samples> samples = new ArrayList<>();
        for (double[] row : seconds) {
            samples.add(new Samples(row));
        }
        return samples;
    }
}
