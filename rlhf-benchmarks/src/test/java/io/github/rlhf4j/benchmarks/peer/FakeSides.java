package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.util.ArrayList;
import java.util.List;

/** Sides that take as long as they are told to, and write down what they were asked. */
final class FakeSides implements Sides {

    final List<String> calls = new ArrayList<>();
    double ourCheck = 8.3;
    double peerCheck = 8.3;
    double ourSeconds = 1;
    double peerSeconds = 2;

    @Override
    public Side ours(Job job) {
        return new FakeSide("ours", ourCheck, ourSeconds);
    }

    @Override
    public Side peer(Job job) {
        return new FakeSide("peer" + job.variant(), peerCheck, peerSeconds);
    }

    private final class FakeSide implements Side {

        private final String name;
        private final double check;
        private final double seconds;

        FakeSide(String name, double check, double seconds) {
            this.name = name;
            this.check = check;
            this.seconds = seconds;
            calls.add("open " + name);
        }

        @Override
        public double check() {
            return check;
        }

        @Override
        public double run(int steps) {
            calls.add(name + " " + steps);
            return seconds * steps;
        }

        @Override
        public long peakBytes() {
            return (long) (seconds * (1L << 30));
        }

        @Override
        public void close() {
            calls.add("close " + name);
        }
    }
}
