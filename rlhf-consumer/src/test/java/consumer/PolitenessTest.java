package consumer;

import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.testkit.RewardModelContract;

/** The README's contract test, run: a stranger's reward model keeps what the interface promises. */
class PolitenessTest extends RewardModelContract {

    @Override
    protected RewardModel rewardModel() {
        return batch -> batch.stream()
                .mapToDouble(exchange -> exchange.response().contains("please") ? 1 : 0)
                .toArray();
    }
}
