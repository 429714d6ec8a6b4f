package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.taste.GlossTaste;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.data.Splits.Parts;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.reward.RewardModels;
import io.github.rlhf4j.reward.labeling.LabelNoise;
import io.github.rlhf4j.reward.labeling.SimulatedLabeler;
import io.github.rlhf4j.reward.labeling.SimulatedLabeler.Ties;
import io.github.rlhf4j.transformer.TransformerPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Asks for preferences: the supervised model answers, the labeler ranks. Own preferences are taken as they are. */
final class ComparisonStage {

    private final Recipe run;
    private final RecipeConfig.Comparisons config;

    ComparisonStage(Recipe run) {
        this.run = run;
        this.config = run.config().comparisons();
    }

    void compare() throws IOException {
        Parts<Ranking> own = run.data().preferences();
        if (own != null) {
            write(own.heldOut(), own.train());
            return;
        }
        GlossTaste taste = run.requireTaste();
        try (TransformerPolicy policy = ModelFiles.policy(run.models().of(Stage.SFT))) {
            Parts<Conversation> prompts = run.data().prompts();
            List<Conversation> asked = LanguageStages.few(prompts.train(), config.prompts());
            List<Conversation> unseen = LanguageStages.few(prompts.heldOut(), config.unseenPrompts());
            int all = asked.size() + unseen.size();
            Answers answers = sample(policy, asked, "answers", 0, all);
            Answers unseenAnswers = sample(policy, unseen, "unseen answers", asked.size(), all);
            write(
                    rank(unseenAnswers, taste, new LabelNoise.None()),
                    rank(answers, taste, new LabelNoise.UniformAnswer(config.mistakes())));
        }
    }

    private Answers sample(TransformerPolicy policy, List<Conversation> prompts, String name, int before, int all) {
        ChatFormat format = run.models().format();
        RandomKey key = RandomKey.of(run.config().seed())
                .child(Stage.COMPARISONS.label())
                .child(name);
        Sampling sampling = Sampling.exact(config.maxNewTokens(), config.temperature(), format.stopTokens());
        return Answers.sample(
                policy, run.models().readable(), prompts, config.samplesPerPrompt(), sampling, key, done -> {
                    run.runner().checkStop(Stage.COMPARISONS);
                    run.monitor().onProgress(Stage.COMPARISONS, before + done, all);
                });
    }

    /** Rankings in which something wins over something; identical answers are shown to the labeler once. */
    private List<Ranking> rank(Answers answers, GlossTaste taste, LabelNoise noise) {
        SimulatedLabeler labeler = new SimulatedLabeler(
                RewardModels.of(exchange -> score(taste, exchange)),
                noise,
                Ties.REPORTED,
                LanguageStages.seed(run.config(), Stage.COMPARISONS));
        List<Ranking> rankings = new ArrayList<>();
        for (int i = 0; i < answers.prompts(); i++) {
            List<String> different = answers.texts(i).stream().distinct().toList();
            if (different.size() > 1) {
                Ranking ranking = labeler.rank(answers.prompt(i), different);
                if (ranking.pairCount() > 0) {
                    rankings.add(ranking);
                }
            }
        }
        return rankings;
    }

    private static double score(GlossTaste taste, Exchange exchange) {
        return taste.score(WordQuestions.askedWord(exchange.prompt()), exchange.response());
    }

    /** The comparisons last, for they mark the stage as done. */
    private void write(List<Ranking> unseen, List<Ranking> rankings) throws IOException {
        if (rankings.isEmpty() || unseen.isEmpty()) {
            throw new InputException("the labeler found no answer better than another, so there is nothing to learn a"
                    + " reward from; ask for more (comparisons.prompts, comparisons.unseenPrompts) or train the"
                    + " supervised model longer");
        }
        PreferenceFiles.write(run.directory().unseenComparisons(), unseen);
        PreferenceFiles.write(run.directory().comparisons(), rankings);
        int pairs = rankings.stream().mapToInt(Ranking::pairCount).sum();
        run.monitor().onNote(pairs + " comparisons of answers to " + rankings.size() + " prompts");
    }
}
