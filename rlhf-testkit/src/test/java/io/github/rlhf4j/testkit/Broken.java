package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/** How the contracts are tested: with implementations of which one thing is broken. */
final class Broken {

    private Broken() {}

    /** One test of a contract. */
    interface ContractTest<C> {
        void run(C contract) throws Exception;
    }

    /** Asserts that the test fails on this contract's implementation with a message that contains {@code says}. */
    static <C> void assertFails(C contract, ContractTest<C> test, String says) {
        assertThat(catchThrowable(() -> test.run(contract)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(says);
    }
}
