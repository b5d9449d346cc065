import ts from 'typescript';

const { TypeFlags } = ts;

/** The parts of a type, without what says that there may be none. */
const partsOf = (type) =>
  (type.isUnion() ? type.types : [type]).filter(
    ({ flags }) => !(flags & (TypeFlags.Undefined | TypeFlags.Null)),
  );

/** Whether a type has texts that are not known when the program is compiled. */
const isOpen = (type) =>
  partsOf(type).some(
    ({ flags }) =>
      flags &
      (TypeFlags.String | TypeFlags.TemplateLiteral | TypeFlags.StringMapping | TypeFlags.Any),
  );

/** Whether a type has none but known texts, or the names of an object's members. */
const isClosed = (type) => {
  const isKnown = (part) =>
    part.isIntersection()
      ? part.types.some(isKnown)
      : (part.flags & (TypeFlags.StringLiteral | TypeFlags.Index)) !== 0;
  const parts = partsOf(type);
  return parts.length > 0 && parts.every(isKnown);
};

/**
 * No plain object is looked up by a text that is not known when the program is compiled. Every
 * object answers to `constructor`, `toString` and `__proto__`, which a file or a user can say: what
 * comes back then is no entry of the table. A `Map` answers to its own keys alone, and so does an
 * object without a prototype, which its type tells: `{ __proto__: null, … }`.
 *
 * It is about reading, writing and deleting `object[text]`, `text in object` and `{ [text]: x } =
 * object`, and about `text as 'one' | 'other'`, which makes a text a known one without looking.
 */
export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      lookup:
        '{{key}} may be any text, and a plain object answers to `constructor` too: use a Map, or an object with `__proto__: null`.',
      cast: '{{text}} may be any text: look it up, a cast does not check it.',
    },
  },
  create(context) {
    const { sourceCode } = context;
    const services = sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    const typeOf = (node) => services.getTypeAtLocation(node);
    const isBare = (node) =>
      partsOf(typeOf(node)).every((part) => {
        const prototype = checker.getPropertyOfType(part, '__proto__');
        return prototype && (checker.getTypeOfSymbol(prototype).flags & TypeFlags.Null) !== 0;
      });
    const check = (node, key, object) => {
      if (isOpen(typeOf(key)) && !isBare(object))
        context.report({ node, messageId: 'lookup', data: { key: sourceCode.getText(key) } });
    };
    return {
      'MemberExpression[computed=true]': (node) => check(node, node.property, node.object),
      "BinaryExpression[operator='in']": (node) => {
        if (node.left.type !== 'PrivateIdentifier') check(node, node.left, node.right);
      },
      'ObjectPattern > Property[computed=true]': (node) => check(node, node.key, node.parent),
      TSAsExpression(node) {
        if (isOpen(typeOf(node.expression)) && isClosed(typeOf(node)))
          context.report({
            node,
            messageId: 'cast',
            data: { text: sourceCode.getText(node.expression) },
          });
      },
    };
  },
};
