/** Language-model training: pretraining on text, fine-tuning on demonstrations. */
@NullMarked
package io.github.rlhf4j.transformer.training;

import org.jspecify.annotations.NullMarked;
