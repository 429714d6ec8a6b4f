package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.taste.GlossTaste;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Optimises the supervised policy, on a KL leash to where it started: by PPO against the learned reward, or by whatever
 * algorithms the configuration names, one after the other.
 */
final class PolicyStage {

    /** Texts of pretraining in each update. */
    static final int PTX_SEQUENCES = 8;

    private final Recipe run;
    private final RecipeConfig.Ppo config;
    private final AdamWConfig optimizer = AdamWConfig.policyOptimization();
    /** What the hidden taste, which no algorithm sees, thinks of the last rollout. */
    private final Map<String, Double> gold = new LinkedHashMap<>();

    PolicyStage(Recipe run) {
        this.run = run;
        this.config = run.config().ppo();
    }

    void optimize() throws IOException {
        List<Algorithm> algorithms = run.config().algorithms();
        for (Algorithm algorithm : algorithms) {
            if (!run.directory().isDone(algorithm)) {
                if (algorithms.size() > 1) {
                    run.monitor().onNote(algorithm.title());
                }
                optimize(algorithm);
            }
        }
    }

    private void optimize(Algorithm algorithm) throws IOException {
        gold.clear();
        boolean judged = algorithm.kind() != Algorithm.Kind.COMPARISONS || run.isDone(Stage.REWARD);
        try (TransformerPolicy reference = ModelFiles.policy(
                        run.models().of(Stage.SFT),
                        optimizer,
                        run.config().lora().base());
                TransformerRewardModel reward =
                        judged ? ModelFiles.reward(run.models().of(Stage.REWARD), optimizer) : null) {
            // inherited by what is made of it and trained
            reference.setRecomputation(run.config().memory().recomputation());
            if (reward == null || algorithm.kind() == Algorithm.Kind.COMPARISONS) {
                try (TransformerPolicy policy = policy(reference, algorithm)) {
                    Trainer trainer = PreferenceTrainers.of(run, algorithm, policy, reference);
                    train(algorithm, trainer, policy, reference, reward);
                    new Learner(run).save(algorithm, policy);
                }
            } else {
                reward.network().setRecomputation(run.config().memory().recomputation());
                optimize(algorithm, reference, reward);
            }
        }
    }

    /** On rollouts. */
    private void optimize(Algorithm algorithm, TransformerPolicy reference, TransformerRewardModel reward)
            throws IOException {
        PolicyTrainers trainers = new PolicyTrainers(run, algorithm, reference, reward, this::judge);
        if (algorithm.kind() != Algorithm.Kind.ACTOR_CRITIC) {
            try (TransformerPolicy policy = policy(reference, algorithm)) {
                train(algorithm, trainers.of(policy), policy, reference, reward);
                new Learner(run).save(algorithm, policy);
            }
        } else if (config.sharedTrunk()) {
            try (TransformerActorCritic both = actorCritic(reference, algorithm)) {
                train(algorithm, trainers.ofSharedTrunk(both), both, reference, reward);
                try (TransformerPolicy policy = both.toPolicy()) {
                    new Learner(run).save(algorithm, policy);
                }
            }
        } else {
            try (TransformerPolicy policy = policy(reference, algorithm);
                    TransformerValueFunction values = values(reward, algorithm)) {
                train(algorithm, trainers.of(policy, values), policy, reference, reward);
                new Learner(run).save(algorithm, policy);
            }
        }
    }

    private void train(
            Algorithm algorithm,
            Trainer trainer,
            Policy policy,
            TransformerPolicy reference,
            @Nullable TransformerRewardModel reward)
            throws IOException {
        HeldOutTrace trace = new HeldOutTrace(
                run,
                algorithm,
                policy,
                reference,
                reward == null ? null : run.models().readable().reading(reward));
        try (MeteredTrainer metered =
                new MeteredTrainer(algorithm.label(), trainer, (report, seconds) -> metrics(trace, report, seconds))) {
            run.runner().run(algorithm, metered);
        }
    }

    private Map<String, Double> metrics(HeldOutTrace trace, StepReport report, double seconds) {
        Map<String, Double> metrics = new LinkedHashMap<>(gold);
        metrics.putAll(trace.after(report, seconds));
        return metrics;
    }

    // What learns: a copy that is trained whole, or adapters on the memory of what it starts from.

    private TransformerActorCritic actorCritic(TransformerPolicy reference, Algorithm algorithm) {
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? TransformerActorCritic.ofLora(reference, lora.of(reference.config()), optimizer, seed(algorithm))
                : TransformerActorCritic.of(reference, optimizer, seed(algorithm));
    }

    private TransformerPolicy policy(TransformerPolicy reference, Algorithm algorithm) {
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? reference.withLora(lora.of(reference.config()), optimizer, seed(algorithm))
                : reference.copy(optimizer);
    }

    private TransformerValueFunction values(TransformerRewardModel reward, Algorithm algorithm) {
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? reward.toLoraValueFunction(lora.of(reward.network().config()), optimizer, seed(algorithm))
                : reward.toValueFunction(optimizer);
    }

    private long seed(Algorithm algorithm) {
        return LanguageStages.seed(run.config(), algorithm);
    }

    private void judge(long iteration, List<RolloutSample> samples) {
        GlossTaste taste = run.data().taste();
        if (taste == null) {
            return;
        }
        double score = 0;
        int met = 0;
        for (RolloutSample sample : samples) {
            String word = WordQuestions.askedWord(sample.exchange().prompt());
            String text = sample.exchange().response();
            score += taste.score(word, text);
            met += taste.meets(word, text) ? 1 : 0;
        }
        gold.put("gold/score", score / samples.size());
        gold.put("gold/share", (double) met / samples.size());
    }
}
