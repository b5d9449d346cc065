import { foreign, type ReadRules } from '../vocabulary/rule.js';

const random = foreign('it gives random values');
const loss = foreign('it is a loss, which only training needs');
const text = foreign('it works on text');
const optional = foreign('it works on optional values');

/** Operators of the standard that core cannot express, and why. */
export const withoutForm = {
  toCore: {
    Bernoulli: random,
    BitCast: foreign('it reads the bits of one type as another'),
    CausalConvWithState: foreign('it keeps state between runs'),
    CenterCropPad: foreign('it crops or pads by what its operand measures'),
    CumProd: foreign('cumulative products have no canonical form'),
    DeformConv: foreign('its filters are deformed by data'),
    Det: foreign('determinants have no canonical form'),
    ImageDecoder: foreign('it decodes compressed images'),
    LinearAttention: foreign('it keeps state between runs'),
    MaxRoiPool: foreign('it pools regions that depend on data'),
    MaxUnpool: foreign('it puts elements at indices of an earlier pool'),
    Multinomial: random,
    NegativeLogLikelihoodLoss: loss,
    Optional: optional,
    OptionalGetElement: optional,
    OptionalHasElement: optional,
    RandomNormal: random,
    RandomNormalLike: random,
    RandomUniform: random,
    RandomUniformLike: random,
    RegexFullMatch: text,
    SoftmaxCrossEntropyLoss: loss,
    StringConcat: text,
    StringNormalizer: text,
    StringSplit: text,
    TensorScatter: foreign('it updates a cache at positions that depend on data'),
    TfIdfVectorizer: text,
  } satisfies ReadRules,
};
